package e2e

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/internal/peers"
)

// emulated starts a device and writes its file.
func emulated(t testing.TB, name string) (*devices.Device, string) {
	t.Helper()
	peers.Quiet(t)
	d, err := devices.Start(t.Context(), devices.Spec{Name: name})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	path, err := d.Write(t.TempDir())
	require.NoError(t, err)
	return d, path
}

// What a whole run costs: all ports, all probes, as it is installed. The figures
// are for the reader; what is too slow is found by the benchmarks, beside a peer.
func TestCostOfARun(t *testing.T) {
	_, file := emulated(t, "door-lock-hardened")
	begun := time.Now()
	ran := assay(t, t.TempDir(), "run", file, "--effect", "intrusive", "--format", "json")
	took := time.Since(begun)
	r := ran.result(t)
	require.NotEqual(t, 2, ran.Code, "standard error:\n%s", ran.Stderr)
	t.Logf("a run over all ports takes %s and %d MiB", took.Round(time.Millisecond), ran.Peak>>20)
	for _, rec := range r.Records {
		t.Logf("  %-20s %s", rec.Probe, rec.Took.Round(time.Millisecond))
	}
}

func BenchmarkRun(b *testing.B) {
	_, file := emulated(b, "door-lock-hardened")
	dir, peak := b.TempDir(), int64(0)
	for b.Loop() {
		ran := assay(b, dir, "run", file, "--effect", "intrusive", "--format", "json", "--out", b.TempDir())
		require.NotEqual(b, 2, ran.Code, "standard error:\n%s", ran.Stderr)
		peak = max(peak, ran.Peak)
	}
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
}

// emptyProgram is what any program of this language costs at the least.
const emptyProgram = "package main\n\nfunc main() {}\n"

// BenchmarkVersion compares the shortest command with a program that does
// nothing at all.
func BenchmarkVersion(b *testing.B) {
	dir := b.TempDir()
	source := filepath.Join(dir, "empty.go")
	require.NoError(b, os.WriteFile(source, []byte(emptyProgram), 0o600))
	empty := filepath.Join(dir, "empty")
	out, err := buildProgram(empty, source)
	require.NoError(b, err, "%s", out)
	timed := func(program string, args ...string) time.Duration {
		begun := time.Now()
		require.NoError(b, exec.Command(program, args...).Run())
		return time.Since(begun)
	}
	var ours, least time.Duration
	for b.Loop() {
		ours += timed(os.Getenv(programEnv), "version")
		least += timed(empty)
	}
	b.ReportMetric(float64(ours)/float64(least), "x-empty")
}

// BenchmarkScan compares the search for open ports, two looks at each of them,
// with a plain loop of connections that looks once.
func BenchmarkScan(b *testing.B) {
	addr := ownAddr(b)
	open := deviceAt(b, addr, 0, func(net.Conn) {})
	all, err := harness.ParsePorts("all")
	require.NoError(b, err)
	var ours, plain time.Duration
	for b.Loop() {
		o := order(asking(b, "exposure.telnet-absent"), "all")
		o.Address = addr
		tr := conduct(b, o)
		found := evidenceOf(b, tr.Case, tcpports.Probe).OpenAddrs()
		require.Contains(b, found, open)
		rec, err := tr.Case.Log.Find("dut", tcpports.Probe.Name)
		require.NoError(b, err)
		ours += rec.Took
		begun := time.Now()
		require.Contains(b, plainScan(addr, all.List), open)
		plain += time.Since(begun)
	}
	b.ReportMetric(float64(ours)/float64(plain), "x-plain")
	b.ReportMetric(float64(ours)/float64(2*plain), "x-plain-per-look")
}

// scanWidth is how many connections the plain loop tries at once: more are
// slower.
const scanWidth = 64

// plainScan connects to each port with the library's dialer.
func plainScan(addr netip.Addr, ports []uint16) []netip.AddrPort {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		open []netip.AddrPort
	)
	next := make(chan uint16)
	for range scanWidth {
		wg.Go(func() {
			for port := range next {
				at := netip.AddrPortFrom(addr, port)
				c, err := net.Dial("tcp", at.String())
				if err != nil {
					continue
				}
				c.Close()
				mu.Lock()
				open = append(open, at)
				mu.Unlock()
			}
		})
	}
	for _, port := range ports {
		next <- port
	}
	close(next)
	wg.Wait()
	return open
}
