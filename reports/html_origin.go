package reports

import (
	"regexp"
	"strings"

	"github.com/assay-iot/assay/harness/msg"
)

// command is one that a reader may copy, with what it does.
type command struct{ Line, Doc string }

// limits says what the run was allowed to do, and from where it looked.
func (b *binder) limits() []fact {
	run := b.r.Run
	return known([]fact{
		{b.say(msg.T("Most that was allowed")), run.Effect},
		{b.say(msg.T("Consent")), run.Consent},
		{b.say(msg.T("Pace")), run.Pace},
		{b.say(msg.T("Addresses in scope")), b.few(run.Scope)},
		{b.say(msg.T("Capture taken at")), run.Vantage},
	})
}

// origin is what names the run, the profiles and the bundle for ever.
func (b *binder) origin() []fact {
	run := b.r.Run
	facts := []fact{
		{b.say(msg.T("Run")), run.ID},
		{b.say(msg.T("Operator")), run.Operator},
		{b.say(msg.T("Site")), run.Site},
		{b.say(msg.T("Sample")), run.Sample},
		{b.say(msg.T("Collected by")), run.CollectedBy},
		{b.say(msg.T("Judged by")), run.JudgedBy},
		{b.say(msg.T("Bundle (SHA-256)")), string(run.BundleSHA256)},
	}
	for _, p := range run.Profiles {
		facts = append(facts, fact{b.say(msg.T("Profile")), strings.Join(strings.Fields(p.ID+" "+p.Version+" "+string(p.SHA256)), " ")})
	}
	return known(append(facts, fact{b.say(msg.T("Format")), b.r.Schema}))
}

// commands are those that check the bundle, judge it and take the evidence
// again. Names are put into them only as far as no shell takes them for
// anything else.
func (b *binder) commands() []command {
	run := b.r.Run
	bundle := "BUNDLE"
	if harmless(run.ID) {
		bundle = run.ID + ".assay"
	}
	profiles := ""
	for _, p := range run.Profiles {
		profiles += "," + word(p.ID, "PROFILE")
	}
	profile := option("--profile", strings.TrimPrefix(profiles, ","))
	at := ""
	if run.Clock.Source == "stated" {
		at = option("--at", run.Clock.Time.UTC().Format("2006-01-02"))
	}
	again := "assay run DEVICE.yaml" + profile + option("--effect", word(run.Effect, "EFFECT")) + option("--pace", word(run.Pace, "PACE"))
	if run.Consent != "" {
		again += ` --consent "WHO, WHY"`
	}
	return []command{
		{"assay verify " + bundle, b.say(msg.T("nothing in the bundle was changed, and who signed it"))},
		{"assay judge " + bundle + at, b.say(msg.T("judge it again under the profiles that it holds, as they stood when it was sealed: the same version of assay gives the same bytes"))},
		{"assay judge " + bundle + profile + at, b.say(msg.T("judge it under the profiles of this report, as the version of assay at hand knows them"))},
		{"assay explain " + bundle + " REQUIREMENT", b.say(msg.T("from a verdict back to the bytes that the device sent"))},
		{again, b.say(msg.T("take the evidence again from the device"))},
	}
}

// option is one of a command line, empty without a value.
func option(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + " " + value
}

// harmlessWord is one that shells take as it is, and that is no option.
var harmlessWord = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:+-]{0,127}$`)

func harmless(s string) bool { return harmlessWord.MatchString(s) }

// word returns s, or a stand-in for a reader to fill in. Nothing stays nothing.
func word(s, other string) string {
	if s == "" || harmless(s) {
		return s
	}
	return other
}
