// Command assay tests an IoT device against baseline security requirements and
// says of each one, with evidence: pass, fail, inconclusive or not applicable.
package main

import (
	"os"

	"github.com/assay-iot/assay/harness/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], cli.System())) }
