package checks

import (
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/answers"
	"github.com/assay-iot/assay/harness/probes/declaration"
)

var inspectionRequirementMet = register(check.Check{
	ID:     "inspection.requirement-met",
	Title:  "A person who looked found the requirement met",
	Remedy: "Change what the person found, have it looked at again and record the new answer",
	Needs:  []probe.Any{answers.Probe, declaration.Probe},
	Params: inspectionParams{},
	Decide: decideRequirementMet,
})

// inspectionParams says which question was asked and what may stand in for an
// answer.
type inspectionParams struct {
	Question  string `yaml:"question"`  // its name in the device file
	Provision string `yaml:"provision"` // as the ICS numbers it
	Declared  bool   `yaml:"declared"`  // whether the ICS alone is enough for a pass
}

func decideRequirementMet(in check.In) []check.Item {
	p := check.Params[inspectionParams](in)
	answered, refs := lastAnswers(in.DUT, p.Question)
	if len(answered) == 0 {
		return []check.Item{asDeclared(in.DUT, p)}
	}
	a, device := answered[0], evidence.Endpoint{}
	for _, other := range answered[1:] {
		if other.Answer != a.Answer {
			return []check.Item{check.Inconclusive(device, msg.T("two answers to {question} contradict each other", "question", p.Question),
				msg.T("look again and keep the one answer that holds"), refs...)}
		}
	}
	switch a.Answer {
	case evidence.Yes:
		return []check.Item{check.Pass(device, msg.T("{who} looked and found it met", "who", a.Who), refs...)}
	case evidence.No:
		return []check.Item{check.Fail(device, msg.T("{who} looked and found it not met", "who", a.Who), refs...)}
	}
	return []check.Item{check.Inconclusive(device, msg.T("{who} looked and could not say", "who", a.Who),
		msg.T("look again and answer {question} with yes or no", "question", p.Question), refs...)}
}

// lastAnswers returns the answers to a question that were given on the last day
// on which there were any, each with the place where it stands. An answer
// counts only if it is named and dated.
func lastAnswers(v evidence.View, question string) (last []answers.Answer, refs []evidence.Ref) {
	var day time.Time
	for i, a := range answers.Probe.From(v).Answers {
		if question == "" || string(a.Question) != question || a.Who == "" || a.When.IsZero() {
			continue
		}
		if a.When.Before(day) {
			continue
		}
		if a.When.After(day) {
			day, last, refs = a.When, nil, nil
		}
		last = append(last, a)
		refs = append(refs, answers.Probe.At(v, "/answers/%d/answer", i))
	}
	return last, refs
}

// asDeclared speaks where nobody answered.
func asDeclared(v evidence.View, p inspectionParams) check.Item {
	for i, s := range declaration.Probe.From(v).Provisions {
		if p.Declared && string(s.ID) == p.Provision && s.Supported == evidence.Yes {
			return check.Pass(evidence.Endpoint{}, msg.T("the manufacturer declares that it is met"),
				declaration.Probe.At(v, "/provisions/%d/supported", i))
		}
	}
	return check.Inconclusive(evidence.Endpoint{}, msg.T("nobody answered {question}, named and dated", "question", p.Question),
		msg.T("look and record the answer to {question} in the device file: question, answer, who, when", "question", p.Question))
}
