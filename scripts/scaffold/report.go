package main

// newReport begins a report format. Its golden files are written by the tests of
// the reports.
func newReport(_, name string) (plan, error) {
	n, err := named("report format", name)
	if err != nil {
		return plan{}, err
	}
	p := plan{left: []string{
		"go test ./reports -run 'TestFormats/^" + name + "$' -update, and read reports/testdata/" + name + ".txt",
		"Write the format into reports/" + n.Package + ".go: as it stands, it is one line for each requirement.",
		"Another Ext than .txt needs its rules in reports/harm_test.go: what would be harm in it?",
	}}
	return p, p.fill(n, map[string]string{"reports/" + n.Package + ".go": "report.go.tmpl", "reports/" + n.Package + "_test.go": "report_test.go.tmpl"})
}
