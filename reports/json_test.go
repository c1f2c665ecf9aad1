package reports

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/result"
)

func TestJSONIsWhatItsSchemaSays(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(result.JSONSchema))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("urn:assay:result:1", schema))
	compiled, err := c.Compile("urn:assay:result:1")
	require.NoError(t, err)

	out := render(t, formats["json"], shared(), Options{})
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
	require.NoError(t, err)
	require.NoError(t, compiled.Validate(doc))
	delete(doc.(map[string]any), "defects")
	require.Error(t, compiled.Validate(doc))
}

// Reading it and writing it again gives the same bytes.
func TestJSONIsStable(t *testing.T) {
	once := render(t, formats["json"], shared(), Options{})
	var back result.Result
	require.NoError(t, json.Unmarshal(once, &back))
	require.Equal(t, string(once), string(render(t, formats["json"], back, Options{Colour: true, Width: 40, Verbose: true})))
	require.Equal(t, byte('\n'), once[len(once)-1])
	require.NotContains(t, string(once), "null")
}
