package device

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func wantFault(t *testing.T, err error, line int, says ...string) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok, "error = %v", err)
	assert.Equal(t, line, e.Line, "line of %v", err)
	for _, s := range says {
		assert.Contains(t, e.Error(), s)
	}
	return e
}

// one is a file whose first line is sound.
func one(lines ...string) string { return "device: {id: a}\n" + strings.Join(lines, "\n") }

const longHash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var badFiles = []struct {
	name, text string
	line       int
	says       string
	hint       string // a part of it
}{
	{"empty", "", 1, "it is empty", "assay init"},
	{"only_a_comment", "# nothing\n", 1, "it is empty", ""},
	{"no_mapping", "- a\n", 1, "a list, not keys and values", ""},
	{"too_large", one("# " + strings.Repeat("x", maxBytes)), 1, "larger than", ""},
	{"too_deep", one("ics: " + strings.Repeat("[", 40) + strings.Repeat("]", 40)), 2, "nested deeper than 32", ""},
	{"far_too_deep", strings.Repeat(strings.Repeat("[", 1000)+"\n", 100), 11, "no valid YAML", ""},
	{"deep_in_blocks", strings.Repeat("- ", 8000), 1, "nested deeper", ""},
	{"endless_line", one("", strings.Repeat("[", 500000)), 3, "more than 16384 bytes", "break the line"},
	{"alias_bomb", one("ics:", "  features: &a {x: yes}", "  provisions: *a"), 3, "anchors and aliases", "write the value out"},
	{"billion_laughs", laughs(), 2, "anchors and aliases", ""},
	{"merge_key", one("ics:", "  <<: {features: {}}"), 3, `no key "<<"`, ""},
	{"tag", one("ics:", "  features: !!python/object:os.system {x: yes}"), 3, "tag", "without a tag"},
	{"second_document", one("---", "device: {id: b}"), 2, "a second document", "one device"},
	{"rubbish_after_the_end", one("...", "]"), 2, "no valid YAML", ""},
	{"no_yaml", one("scope: [", "consent: {"), 3, "no valid YAML", "indentation"},
	{"tab", one("ics:", "\tfeatures: {}"), 3, "no valid YAML", ""},
	{"tab_in_the_first_line", "\tdevice:", 1, "no valid YAML", ""},
	{"not_utf8", one("x: \xff"), 2, "not UTF-8", ""},
	{"utf16", "\xff\xfed\x00e\x00", 1, "not UTF-8", ""},
	{"nul", one("consent:", "  who: \x00"), 3, "control character U+0000", ""},
	{"line_separator", one("consent:", "  who: a\u2028b"), 3, "control character U+2028", ""},
	{"lone_carriage_return", one("consent:\r  who: a"), 2, "control character U+000D", ""},
	{"windows_line_ends", "device: {id: a}\r\nicss: {}\r\n", 2, `no key "icss"`, ""},
	{"escape_sequence", one("consent:", "  who: \"\\e[2J\""), 3, "control character U+001B", ""},
	{"escape_in_a_key", one("ics:", "  features: {\"\\e[2J\": yes}"), 3, "control character U+001B", ""},
	{"unknown_key", one("icss: {}"), 2, `the device file has no key "icss"`, `did you mean "ics"?`},
	{"unknown_key_below", one("consent:", "  who: a", "  efect: active"), 4, `"consent" has no key "efect"`, `did you mean "effect"?`},
	{"unknown_key_like_nothing", one("template: x"), 2, `no key "template"`, `the keys are ["answers"`},
	{"duplicate_key", one("firmware: []", "captures: []", "firmware: []"), 4, `key "firmware" stands twice, first in line 2`, ""},
	{"duplicate_feature", one("ics:", "  features:", "    a: yes", "    'a': no"), 5, `key "a" stands twice`, ""},
	{"key_is_a_list", one("? [a, b]", ": c"), 2, "a key is a name", ""},
	{"no_value", one("consent:"), 2, `"consent" has no value`, "leave the line out"},
	{"text_for_a_list", one("firmware: fw.bin"), 2, `"firmware" holds a single value, not a list`, ""},
	{"list_for_text", "device:\n  id: [a]\n", 2, `"device.id" holds a list, not a single value`, ""},
	{"maybe", one("ics:", "  features: {a: maybe}"), 3, `"maybe" is neither yes nor no`, ""},
	{"on", one("ics:", "  features:", "    a: on"), 4, `"on" is neither yes nor no`, ""},
	{"bad_boolean", one("consent: {who: a, what: b, effect: active, until: 2026-01-01,", "  sacrificial: 1}"), 3, "neither yes nor no", ""},
	{"port_0", one("ixit: {soft_serv: [{id: a, tcp: [0]}]}"), 2, `"0" is no port`, ""},
	{"port_65536", one("ixit:", "  soft_serv:", "  - id: a", "    tcp:", "      - 65536"), 6, `"65536" is no port`, ""},
	{"huge_number", one("ixit: {soft_serv: [{id: a, udp: [1e309]}]}"), 2, "is no port", ""},
	{"endless_number", one("ixit: {soft_serv: [{id: a, udp: [" + strings.Repeat("9", 15000) + "]}]}"), 2, "is no port", ""},
	{"endless_text", one("consent:", "  until: \""+strings.Repeat(strings.Repeat("x", 1000)+"\n", 900)+"\""), 3, "is no date", ""},
	{"octal_port", one("ixit: {soft_serv: [{id: a, tcp: [080]}]}"), 2, `"080" is no port`, ""},
	{"port_twice", one("ixit: {soft_serv: [{id: a, tcp: [80, 80]}]}"), 2, "port 80 stands twice", ""},
	{"bad_address", "device:\n  id: a\n  addresses: [192.168.1.300]\n", 3, `"192.168.1.300" is no IP address`, ""},
	{"prefix_for_an_address", "device:\n  id: a\n  addresses: [192.168.1.0/24]\n", 3, "is no IP address", ""},
	{"prefix_in_a_zone", "device:\n  id: a\n  addresses: ['fe80::1%eth0/64']\n", 3, "is no IP address", ""},
	{"bad_prefix", one("scope:", "  - address: 10.0.0.0/33"), 3, "is no address and no prefix", "such as"},
	{"bits_after_the_prefix", one("scope: [{address: 10.0.0.1/8}]"), 2, "write 10.0.0.1 or 10.0.0.0/8", ""},
	{"bad_date", one("consent: {who: a, what: b, effect: active, until: 2026-02-30}"), 2, `"2026-02-30" is no date`, ""},
	{"zero_date", one("consent: {who: a, what: b, effect: active, until: 0001-01-01}"), 2, "is no date from 1970 on", ""},
	{"bad_mac", "device:\n  id: a\n  mac: 00:11:22\n", 3, "is no MAC address", ""},
	{"id_leaves_the_folder", "device:\n  id: ../a\n", 2, `"../a" is no name`, "letters, digits"},
	{"no_id", "device:\n  model: a\n", 1, `"device.id" is missing`, ""},
	{"path_up", one("firmware:", "- ok.bin", "- ../../etc/shadow"), 4, "not inside the folder", "beside the device file"},
	{"absolute_path", one("trust: {anchors: [/etc/passwd]}"), 2, "not inside the folder", ""},
	{"path_up_in_a_credential", one("credentials:", "- {id: a, service: mqtt, password: {file: x/../../y}}"), 3, "not inside the folder", ""},
	{"literal_password", one("credentials:", "- id: a", "  service: mqtt", "  password: hunter2"), 5, "the secret itself never stands in the device file", "{env: NAME}"},
	{"literal_password_as_value", one("credentials:", "- {id: a, service: mqtt, password: {value: hunter2}}"), 3, "the secret itself never stands", ""},
	{"password_from_two_sources", one("credentials:", "- {id: a, service: mqtt, password: {file: a, env: A}}"), 3, "not one source but none or two", ""},
	{"password_from_nowhere", one("credentials:", "- {id: a, service: mqtt}"), 3, "not one source", ""},
	{"literal_password_as_variable", one("credentials:", "- {id: a, service: mqtt, password: {env: hunter2!}}"), 3, "no name of an environment variable", ""},
	{"two_credentials_of_one_id", one("credentials:", "- {id: a, service: mqtt, password: {env: A}}", "- {id: a, service: mqtt, password: {env: B}}"), 4, `"a" stands twice`, "name of its own"},
	{"unknown_credential", one("ixit:", "  soft_serv:", "  - id: a", "    mqtt: {identities: [{credential: nobody}]}"), 5, `there is no credential "nobody"`, "credentials"},
	{"unknown_credential_reads_all", one("ixit: {soft_serv: [{id: a, mqtt: {reads_all: nobody}}]}"), 2, `there is no credential "nobody"`, ""},
	{"two_services_of_one_id", one("ixit: {soft_serv: [{id: a},", "  {id: a}]}"), 3, `"a" stands twice`, ""},
	{"bad_status", one("ixit: {soft_serv: [{id: a, status: on}]}"), 2, `status "on" is neither`, ""},
	{"two_things_in_a_protocol", one("ixit: {soft_serv: [{id: a, protocol: https}]}"), 2, "says two things", "{protocol: http, tls: yes}"},
	{"bad_pin", one("trust: {pins: [abc]}"), 2, "is no SHA-256", "64 hexadecimal"},
	{"bad_attachment_hash", one("answers: [{question: q, answer: yes, who: w, when: 2026-01-01,", "attachments: [{file: a, sha256: "+longHash[1:]+"}]}]"), 3, "is no SHA-256", ""},
	{"nobody_answered", one("answers: [{question: q, answer: yes, when: 2026-01-01}]"), 2, `"answers[0].who" is missing`, ""},
	{"never_answered", one("answers: [{question: q, answer: yes, who: w}]"), 2, `"answers[0].when" is missing`, ""},
	{"answered_twice", one("answers:", "- {question: q, answer: yes, who: w, when: 2026-01-01}", "- {question: q, answer: no, who: w, when: 2026-01-01}"), 4, "is answered twice by \"w\" on one day", "keep the answer"},
	{"attachment_without_hash", one("answers:", "- question: q", "  answer: yes", "  who: w", "  when: 2026-01-01", "  attachments:", "  - file: a.pdf"), 8, "is no SHA-256", ""},
	{"answer_is_missing", one("answers: [{question: q, who: w, when: 2026-01-01}]"), 2, `"answers[0].answer" is missing`, ""},
	{"blank_name", one("answers: [{question: q, answer: yes, who: \"  \", when: 2026-01-01}]"), 2, `"answers[0].who" is missing`, ""},
	{"unit_is_the_dut", one("units: [{name: dut, addresses: [127.0.0.1]}]"), 2, `"dut" stands twice`, ""},
	{"unit_without_address", one("units: [{name: b}]"), 2, "neither addresses nor a file", ""},
	{"same_address_twice", "device: {id: a, addresses: [127.0.0.1]}\nunits: [{name: b, addresses: [127.0.0.1]}]", 2, "stands twice", ""},
	{"consent_without_end", one("consent: {who: a, what: b, effect: active}"), 2, `"consent.until" is missing`, ""},
	{"unknown_effect", one("consent: {who: a, what: b, effect: brutal, until: 2026-01-01}"), 2, `"brutal" is none of`, ""},
	{"consent_of_nobody", one("consent:", "  what: b", "  effect: active", "  until: 2026-01-01"), 2, `"consent.who" is missing`, ""},
	{"consent_to_nothing", one("consent: {who: a, effect: active, until: 2026-01-01}"), 2, `"consent.what" is missing`, ""},
	{"consent_has_no_value", one("consent:", "  who:", "  what: b"), 3, `"consent.who" has no value`, "leave the line out"},
	{"mapping_for_text", one("consent:", "  who: {name: a}"), 3, `"consent.who" holds keys and values, not a single value`, ""},
	{"feature_with_a_space", one("ics:", "  features:", "    \" a\": yes"), 4, "is no name of a feature", ""},
	{"endless_feature", one("ics:", "  features:", "    "+strings.Repeat("a", 101)+": yes"), 4, "is no name of a feature", ""},
	{"feature_without_answer", one("ics:", "  features:", "    a:"), 4, `"ics.features[a]" has no value`, ""},
	{"provision_with_a_space", one("ics:", "  provisions:", "    \"5.1-1 \": {support: yes}"), 4, "is no number of a provision", ""},
	{"provision_answered_directly", one("ics:", "  provisions:", "    5.1-1: yes"), 4, "holds a single value, not keys and values", ""},
	{"protocol_in_capitals", one("ixit: {soft_serv: [{id: a, protocol: MQTT}]}"), 2, `"MQTT" is no name of a protocol`, ""},
	{"service_without_id", one("ixit:", "  soft_serv:", "  - status: enabled"), 4, `"ixit.soft_serv[0].id" is missing`, ""},
	{"credential_without_service", one("credentials: [{id: a, password: {env: A}}]"), 2, `"credentials[0].service" is missing`, ""},
	{"credential_for_no_protocol", one("credentials: [{id: a, service: My Broker, password: {env: A}}]"), 2, "is no name of a protocol", ""},
	{"password_without_value", one("credentials: [{id: a, service: mqtt, password: }]"), 2, "has no value", ""},
	{"password_in_a_list", one("credentials: [{id: a, service: mqtt, password: [hunter2]}]"), 2, "the secret itself never stands", ""},
	{"one_credential_for_two_identities", one("credentials: [{id: a, service: mqtt, password: {env: A}}]",
		"ixit: {soft_serv: [{id: a, mqtt: {identities: [{credential: a},", "{credential: a}]}}]}"), 4, `"a" stands twice`, ""},
	{"identity_without_credential", one("ixit: {soft_serv: [{id: a, mqtt: {identities: [{topics: [x]}]}}]}"), 2, "credential\" is missing", ""},
	{"windows_path", one("captures: ['..\\..\\secret']"), 2, "not inside the folder", ""},
	{"empty_path", one("captures: ['']"), 2, "not inside the folder", ""},
	{"test_ca_elsewhere", one("trust:", "  test_ca: ../ca.pem"), 3, "not inside the folder", ""},
	{"unit_file_elsewhere", one("units:", "- name: b", "  file: /tmp/b.yaml"), 4, "not inside the folder", ""},
	{"attachment_elsewhere", one("answers: [{question: q, answer: yes, who: w, when: 2026-01-01,", "  attachments: [{file: ../a, sha256: "+longHash+"}]}]"), 3, "not inside the folder", ""},
	{"zone_in_a_prefix", one("scope: [{address: 'fe80::%eth0/64'}]"), 2, "is no address and no prefix", ""},
	{"provision_without_support", one("ics:", "  provisions:", "    5.1-1: {justification: x}"), 4, `"ics.provisions[5.1-1].support" is missing`, ""},
}

// laughs doubles a list in each of forty steps.
func laughs() string {
	text := one("x0: &x0 [a, a]")
	for i := range 40 {
		text += strings.NewReplacer("N", string(rune('A'+i%26)), "M", string(rune('A'+(i+25)%26))).Replace("\nN: &N [*M, *M]")
	}
	return strings.Replace(text, "*Z, *Z", "*x0, *x0", 1)
}

// patience is the most that a bad file may take: an operator waits for it.
const patience = time.Second

func TestBadFilesAreRefusedWithTheirLine(t *testing.T) {
	require.GreaterOrEqual(t, len(badFiles), 30)
	for _, tt := range badFiles {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("cam.yaml", []byte(tt.text), t.TempDir())
			assert.Less(t, time.Since(start), patience)
			e := wantFault(t, err, tt.line, `device file "cam.yaml", line `, tt.says)
			assert.Contains(t, e.Hint, tt.hint)
			assert.Less(t, len(e.Error()), 400, "an error is for a terminal")
			assert.NotContains(t, e.Error()+e.Hint, "hunter2", "an error must not repeat a secret")
		})
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{"icss": "ics", "scopes": "scope", "trsut": "trust", "x": "", "credential": "credentials", "password": ""} {
		assert.Equal(t, want, nearest(name, []string{"ics", "scope", "trust", "credentials"}), name)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	for _, tt := range badFiles {
		if len(tt.text) < 1<<10 {
			f.Add([]byte(tt.text))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Parse("cam.yaml", b, ".")
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			require.True(t, ok, "%v", err)
			require.Positive(t, e.Line)
			require.LessOrEqual(t, e.Line, strings.Count(string(b), "\n")+2)
			return
		}
		again, err := Parse("cam.yaml", got.Effective(), ".")
		require.NoError(t, err, "%s", got.Effective())
		sameAs(t, got, again)
		got.Lint()
	})
}
