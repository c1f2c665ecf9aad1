package bundle

import (
	"encoding/json"
	"errors"

	"github.com/assay-iot/assay/harness/evidence"
)

// A line of records.jsonl is {"sha256":HASH,"record":RECORD}, where the hash is
// that of RECORD's bytes: so the first wrong line can be named.
const (
	hashField   = `{"sha256":"`
	recordField = `","record":`
	recordAt    = len(hashField) + 64 + len(recordField)
)

func recordLine(record json.RawMessage) []byte {
	line := append([]byte(hashField), digest(record)...)
	line = append(line, recordField...)
	return append(append(line, record...), "}\n"...)
}

// parseRecordLine reads a line without its newline.
func parseRecordLine(line []byte) (evidence.Record, evidence.Digest, error) {
	var r evidence.Record
	if len(line) <= recordAt {
		return r, "", errors.New("it is no record")
	}
	raw := line[recordAt : len(line)-1]
	hash := digest(raw)
	if string(line[:recordAt]) != hashField+string(hash)+recordField || line[len(line)-1] != '}' {
		return r, "", errors.New("its hash is not that of its record")
	}
	err := json.Unmarshal(raw, &r)
	return r, hash, err
}
