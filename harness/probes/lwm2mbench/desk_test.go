package lwm2mbench

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		code coapwire.Code
		path string
		want Kind
		name string
	}{
		{coapwire.POST, "/bs?ep=m", BootstrapRequest, "m"},
		{coapwire.POST, "/utility/bs?ep=m&pct=112", BootstrapRequest, "m"},
		{coapwire.GET, "/bspack?ep=m", BootstrapRequest, "m"},
		{coapwire.POST, "/rd?lt=60&ep=urn:x", Register, "urn:x"},
		{coapwire.POST, "/utility/rd", Register, ""},
		{coapwire.POST, "/rd/7", Update, ""},
		{coapwire.PUT, "/utility/rd/7?lt=60", Update, ""},
		{coapwire.DELETE, "/rd/7", Deregister, ""},
		{coapwire.GET, "/rd", Other, ""},
		{coapwire.GET, "/rd/7", Other, ""},
		{coapwire.POST, "/rd/7/8", Other, ""},
		{coapwire.POST, "/", Other, ""},
		{coapwire.POST, "/rdx?ep=m", Other, "m"},
	} {
		m := coapwire.Message{Code: tt.code, Options: coapwire.PathOptions(tt.path)}
		assert.Equal(t, tt.want, kindOf(m), "%s %s", tt.code, tt.path)
		assert.Equal(t, tt.name, string(endpointName(m)), tt.path)
		m.Set(coapwire.Option{Number: coapwire.OSCORE})
		assert.Equal(t, Protected, kindOf(m), tt.path)
	}
}

// A desk knows whom it let in, forgets one of them once, and tells strangers that
// it does not know them.
func TestDesk(t *testing.T) {
	d := newDesk()
	for i, tt := range []struct {
		code coapwire.Code
		path string
		want coapwire.Code
	}{
		{coapwire.POST, "/rd/1", coapwire.NotFound},
		{coapwire.DELETE, "/rd/1", coapwire.NotFound},
		{coapwire.POST, "/rd", coapwire.Created},
		{coapwire.POST, "/rd/1", coapwire.NotFound}, // the one time
		{coapwire.POST, "/rd/1", coapwire.NotFound},
		{coapwire.POST, "/rd", coapwire.Created},
		{coapwire.POST, "/rd/2", coapwire.Changed},
		{coapwire.POST, "/rd/1", coapwire.NotFound},
		{coapwire.DELETE, "/rd/2", coapwire.Deleted},
		{coapwire.DELETE, "/rd/2", coapwire.NotFound},
		{coapwire.POST, "/bs", coapwire.Changed},
		{coapwire.GET, "/bspack", coapwire.NotFound},
		{coapwire.GET, "/3/0", coapwire.NotFound},
	} {
		m := coapwire.Message{Code: tt.code, Options: coapwire.PathOptions(tt.path)}
		code, location, ok := d.answer(kindOf(m), m)
		assert.True(t, ok)
		assert.Equal(t, tt.want.String(), code.String(), "%d: %s %s", i, tt.code, tt.path)
		assert.Equal(t, code == coapwire.Created, location != nil)
	}
	_, _, ok := d.answer(Protected, coapwire.Message{})
	assert.False(t, ok)

	twice := newDesk() // who registered twice of his own accord is not told to
	for _, path := range []string{"/rd", "/rd", "/rd/2"} {
		m := coapwire.Message{Code: coapwire.POST, Options: coapwire.PathOptions(path)}
		code, _, _ := twice.answer(kindOf(m), m)
		assert.Equal(t, 2, code.Class(), path)
	}
}

func TestFacts(t *testing.T) {
	dialogue := func(c Channel, malformed int, all ...Request) Dialogue {
		return Dialogue{Channel: c, Malformed: malformed, Requests: all}
	}
	reg := Request{Kind: Register, Whole: evidence.Yes, Answer: "2.01", OSCORE: evidence.No}
	half := Request{Kind: Register, Whole: evidence.No, Answer: "2.31", OSCORE: evidence.No}
	bad := Request{Kind: Register, Whole: evidence.Yes, Answer: "4.02", OSCORE: evidence.No}
	update := Request{Kind: Update, Whole: evidence.Yes, Answer: "2.04", OSCORE: evidence.No}
	sealed := Request{Kind: Protected, Whole: evidence.Yes, OSCORE: evidence.Yes}
	for name, tt := range map[string]struct {
		role                Role
		clear, bare, inside int
	}{
		"nothing":            {Role{}, 0, 0, 0},
		"registers":          {Role{Dialogues: []Dialogue{dialogue(Clear, 0, reg)}}, 1, 1, 0},
		"half_counts":        {Role{Dialogues: []Dialogue{dialogue(Clear, 0, half, bad)}}, 2, 2, 0},
		"updates_alone":      {Role{Dialogues: []Dialogue{dialogue(Clear, 0, update, update)}}, 0, 2, 0},
		"updates_after":      {Role{Dialogues: []Dialogue{dialogue(Clear, 0, reg), dialogue(Clear, 0, update)}}, 2, 2, 0},
		"noise":              {Role{Dialogues: []Dialogue{dialogue(Clear, 4)}}, 0, 4, 0},
		"inside":             {Role{Dialogues: []Dialogue{dialogue(DTLS, 0, reg, update, reg)}}, 0, 0, 2},
		"inside_and_refused": {Role{Dialogues: []Dialogue{dialogue(DTLS, 2, half, bad)}}, 0, 0, 0},
		"sealed":             {Role{Dialogues: []Dialogue{dialogue(Clear, 0, sealed)}}, 0, 0, 0},
		"both":               {Role{Dialogues: []Dialogue{dialogue(DTLS, 0, reg), dialogue(Clear, 0, reg)}}, 1, 1, 1},
	} {
		assert.Equal(t, []int{tt.clear, tt.bare, tt.inside}, []int{tt.role.InClear(), tt.role.Bare(), tt.role.Inside()}, name)
	}
}
