package bundle

import (
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// model is what a journal should hold, kept in memory by the simplest means.
type model struct {
	t         *testing.T
	rng       *rand.Rand
	id        *age.X25519Identity
	j         *Journal
	open      map[evidence.Member]io.WriteCloser
	texts     map[evidence.Member]string // as they are on disk once they are finished
	pinned    map[evidence.Member]int    // how much of an open one a record points into
	originals []Original
	probes    []string
	logins    int
	steps     []string
}

// TestRandomRuns takes random steps, restarts among them, and compares what the
// journal and in the end the bundle hold with the model.
func TestRandomRuns(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			id := newIdentity(t)
			j, _ := begin(t, id)
			m := &model{
				t: t, rng: rand.New(rand.NewPCG(seed, 7)), id: id, j: j,
				open: map[evidence.Member]io.WriteCloser{}, texts: map[evidence.Member]string{}, pinned: map[evidence.Member]int{},
			}
			steps := []func(){m.record, m.record, m.openOne, m.write, m.write, m.seal, m.close, m.login, m.step, m.restart}
			for range 60 {
				steps[m.rng.IntN(len(steps))]()
				m.compare()
			}
			m.pack()
		})
	}
}

// any returns one of the open members, "" if there is none.
func (m *model) any() evidence.Member {
	names := sortedNames(m.open)
	if len(names) == 0 {
		return ""
	}
	return names[m.rng.IntN(len(names))]
}

func (m *model) record() {
	r := record(len(m.probes)+1, points{evidence.Span{Member: m.any(), Length: 1}})
	require.NoError(m.t, m.j.Record(r))
	m.probes = append(m.probes, r.Probe)
	for name := range m.open {
		if strings.Contains(string(r.Data), string(name)) {
			m.pinned[name] = len(m.texts[name])
		}
	}
}

func (m *model) openOne() {
	name := m.j.NextTranscript()
	require.NotContains(m.t, m.texts, name, "used before")
	w, err := m.j.Member(name)
	require.NoError(m.t, err)
	m.open[name], m.texts[name] = w, ""
}

func (m *model) write() {
	if name := m.any(); name != "" {
		text := strings.Repeat("x", 1+m.rng.IntN(50))
		_, err := m.open[name].Write([]byte(text))
		require.NoError(m.t, err)
		m.texts[name] += text
	}
}

func (m *model) seal() {
	name := m.any()
	if at := len(m.texts[name]) - 1; at >= 0 {
		require.NoError(m.t, m.j.Seal(name, int64(at), []byte{'s'}))
		m.originals = append(m.originals, Original{name, int64(at), []byte{'s'}})
	}
}

func (m *model) close() {
	if name := m.any(); name != "" {
		require.NoError(m.t, m.open[name].Close())
		delete(m.open, name)
		delete(m.pinned, name)
	}
}

func (m *model) login() {
	n, err := m.j.Login(evidence.DUT, "ssh", "root")
	m.logins++
	require.NoError(m.t, err)
	require.Equal(m.t, m.logins, n)
}

func (m *model) step() {
	m.steps = append(m.steps, fmt.Sprint(len(m.steps)))
	require.NoError(m.t, m.j.Before(evidence.DUT, "p", m.steps[len(m.steps)-1]))
}

// restart loses the open members, or what no record points into. Whether the
// next process can read what was sealed makes no difference.
func (m *model) restart() {
	var ids []age.Identity
	if m.rng.IntN(2) == 0 {
		ids = append(ids, m.id)
	}
	m.j = again(m.t, m.j, ids...)
	for name := range m.open {
		kept, ok := m.pinned[name]
		if !ok {
			delete(m.texts, name)
			continue
		}
		m.texts[name] = m.texts[name][:kept]
	}
	clear(m.open)
	clear(m.pinned)
}

func (m *model) compare() {
	var probes []string
	for _, r := range m.j.Log() {
		probes = append(probes, r.Probe)
	}
	require.Equal(m.t, m.probes, probes)
	require.Equal(m.t, m.logins, m.j.Logins(evidence.DUT, "ssh", "root"))
	require.Equal(m.t, m.steps, m.j.Progress(evidence.DUT, "p").Begun)
}

func (m *model) pack() {
	for len(m.open) > 0 {
		m.close()
	}
	require.NoError(m.t, m.j.Input(RunName, nil))
	out := filepath.Join(m.t.TempDir(), "x")
	_, err := Pack(m.j, out, signerOf(1))
	require.NoError(m.t, err)
	b, err := Open(out, Limits{})
	require.NoError(m.t, err)
	defer b.Close()
	texts := map[evidence.Member]string{}
	for _, a := range b.Members() {
		if rank(a.Member) == transcriptRank {
			r, err := b.Member(a.Member)
			require.NoError(m.t, err)
			text, err := io.ReadAll(r)
			require.NoError(m.t, err)
			texts[a.Member] = string(text)
		}
	}
	require.Equal(m.t, m.texts, texts)
	var originals []Original
	for _, o := range m.originals {
		if o.Offset < int64(len(m.texts[o.Member])) {
			originals = append(originals, o)
		}
	}
	u, err := Unseal(out, m.id)
	require.NoError(m.t, err)
	require.Equal(m.t, originals, u.Originals)
}
