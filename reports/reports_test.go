package reports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func render(t *testing.T, f Format, r result.Result, o Options) []byte {
	t.Helper()
	var got bytes.Buffer
	require.NoError(t, f.Render(&got, r, o))
	return got.Bytes()
}

// golden compares got with a file that a person has read.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run 'go test ./reports -update' and read the new file")
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run 'go test ./reports -update' and read the diff\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestFormats(t *testing.T) {
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			golden(t, f.Name+f.Ext, render(t, f, shared(), Options{}))
			golden(t, f.Name+"-empty"+f.Ext, render(t, f, result.Result{Schema: result.Schema}, Options{}))
		})
	}
}

// A format is a value: rendering twice gives the same, and leaves the result
// as it was.
func TestRenderingChangesNothing(t *testing.T) {
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			r := shared()
			require.Equal(t, render(t, f, r, Options{}), render(t, f, r, Options{}))
			require.Equal(t, shared(), r)
		})
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestRenderReportsWriteErrors(t *testing.T) {
	for _, f := range Formats() {
		require.ErrorIs(t, f.Render(brokenPipe{}, shared(), Options{}), os.ErrClosed, f.Name)
	}
	require.ErrorIs(t, Matrix(brokenPipe{}, nil, Options{}), os.ErrClosed)
}

func TestLookup(t *testing.T) {
	for _, f := range Formats() {
		got, err := Lookup(f.Name)
		require.NoError(t, err)
		require.Equal(t, f.Ext, got.Ext)
		require.NotEmpty(t, f.Doc)
	}
	_, err := Lookup("xlsx")
	require.ErrorContains(t, err, `no report format "xlsx"; there are `)
	require.ErrorContains(t, err, "json, markdown, ")
}

func TestRegisterRefusesDuplicates(t *testing.T) {
	require.Panics(t, func() { register(Format{Name: "json"}) })
}

func TestSayCutsValuesNotSentences(t *testing.T) {
	o := Options{Catalogue: msg.Catalogue{"it said {what}, twice": "zweimal sagte es {what}!"}}
	got := o.say(msg.T("it said {what}, twice", "what", string(make([]byte, 1<<20))))
	require.Contains(t, got, "(+1048104 bytes)!")
	require.Contains(t, got, "zweimal")
}
