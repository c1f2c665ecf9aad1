package bundle

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A connection on which nothing was received has used its number all the same,
// in this process and in the next.
func TestNextTranscriptCountsWhatWasSent(t *testing.T) {
	id := newIdentity(t)
	j, dir := begin(t, id)
	first := j.NextTranscript()
	write(t, j, first+".out", "hello")
	second := j.NextTranscript()
	require.Greater(t, second, first)
	require.NoError(t, j.Close())
	again, err := Resume(filepath.Clean(dir), id)
	require.NoError(t, err)
	require.Equal(t, second, again.NextTranscript())
	require.NoError(t, again.Close())
}

// A member that cannot be opened gives no writer at all: one that is not nil
// and cannot be written to would be taken for an open one.
func TestRefusedMemberIsNil(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	write(t, j, "transcript/000007", "hello")
	w, err := j.Member("transcript/000007")
	require.Error(t, err)
	require.True(t, w == nil)
	require.NoError(t, j.Close())
}
