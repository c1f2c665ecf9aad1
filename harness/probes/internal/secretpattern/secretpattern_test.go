package secretpattern

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/assay-iot/assay/harness/evidence"
)

// githubToken is the example of that service's documents: its checksum holds.
const githubToken = "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"

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJsb2NrIn0.c2lnbmVkLWJ5LWEta2V5LW9mLW91cnM"

func TestFind(t *testing.T) {
	tests := []struct {
		name, under, text string
		class             evidence.SecretClass // empty if there is no secret
		value             string
	}{
		// Secrets.
		{"retained_pin", "", `{"user":"owner","pin":"7Q4K-92XD-LM5R"}`, "pin", "7Q4K-92XD-LM5R"},
		{"nested", "", `{"wifi":{"ssid":"home","psk":"hK3#vTq9!mZx2"}}`, "psk", "hK3#vTq9!mZx2"},
		{"json_in_json", "", `{"msg":"{\"wifiPassword\":\"hK3#vTq9!mZx2\"}"}`, "password", "hK3#vTq9!mZx2"},
		{"yaml", "", "ssid: home\npassphrase: q7Rf2LpW9sXk\n", "password", "q7Rf2LpW9sXk"},
		{"configuration", "", "mqtt_user=lock\nmqtt_password=q7Rf2LpW9sXk\n", "password", "q7Rf2LpW9sXk"},
		{"single_quotes", "", `{'api_key': 'q7Rf2LpW9sXkA1'}`, "key", "q7Rf2LpW9sXkA1"},
		{"xml", "", "<cfg><adminPin>q7Rf2LpW9sXk</adminPin></cfg>", "pin", "q7Rf2LpW9sXk"},
		{"query", "", "http://cloud/up?id=4&access_token=q7Rf2LpW9sXk&x=1", "token", "q7Rf2LpW9sXk"},
		{"user_information", "", "broker mqtt://lock:q7Rf2LpW9sXk@192.0.2.7:1883 ", "password", "q7Rf2LpW9sXk"},
		{"header", "", "Authorization: Bearer " + jwt, "token", jwt},
		{"numbered", "", `{"PIN2":"q7Rf2LpW9sXk"}`, "pin", "q7Rf2LpW9sXk"},
		{"words_in_a_name", "", `{"wifi password":"q7Rf2LpW9sXk"}`, "password", "q7Rf2LpW9sXk"},
		{"under_a_topic", "password", "  q7Rf2LpW9sXk\n", "password", "q7Rf2LpW9sXk"},
		{"uuid_as_a_token", "", `{"token":"8f1c22a9-0b7d-4e66-95ff-01c8d2ab9974"}`, "token", "8f1c22a9-0b7d-4e66-95ff-01c8d2ab9974"},
		{"aes_key", "", `{"key":"8f1c22a90b7d4e6635ff01c8d2ab9974"}`, "key", "8f1c22a90b7d4e6635ff01c8d2ab9974"},
		{"token_with_a_checksum", "", "see " + githubToken + ".", Token, githubToken},
		{"escaped_value", "", `{"secret":"q7Rf\"2LpW9sXk"}`, "secret", `q7Rf\"2LpW9sXk`},
		// What only looks like one.
		{"prose", "", `{"password policy":"at least twelve characters","pin":"set in the app","secret":"none is kept here","token":"see the manual, chapter 4","key":"on the back of the lock"}`, "", ""},
		{"name_alone", "", `{"password":"","pin":null,"token":false}`, "", ""},
		{"short", "", `{"pin":"4711"}`, "", ""},
		{"digits", "", `{"pin":"8261940573"}`, "", ""},
		{"placeholder", "", `{"password":"changeme-1234-qX"}`, "", ""},
		{"example", "", `{"token":"EXAMPLEq7Rf2LpW9sXk"}`, "", ""},
		{"template", "", "password=${MQTT_PASSWORD_12}", "", ""},
		{"reference", "", `{"secret":"vault:kv/lock#q7Rf2"}`, "", ""},
		{"redacted", "", `{"password":"****************"}`, "", ""},
		{"sensor_id", "", `{"key":"28-0316a2795aff","value":21.5}`, "", ""},
		{"sensor_name", "", `{"key":"temperature_outdoor_north","value":21.5}`, "", ""},
		{"camel_name", "", `{"key":"outdoorTemperatureNorth2"}`, "", ""},
		{"eui64", "", `{"key":"a4c1382f9be07d56"}`, "", ""},
		{"uuid_as_a_key", "", `{"key":"8f1c22a9-0b7d-4e66-95ff-01c8d2ab9974"}`, "", ""},
		{"mac", "", `{"key":"a4:c1:38:2f:9b:e0"}`, "", ""},
		{"time", "", `{"token":"2024-05-17T12:34:56.789Z"}`, "", ""},
		{"path", "", `{"key":"/etc/ssl/private/device.pem"}`, "", ""},
		{"address", "", `{"token":"https://cloud.example.org/q7Rf2LpW9sXk"}`, "", ""},
		{"public_key_by_name", "", `{"public_key":"q7Rf2LpW9sXkA1bC"}`, "", ""},
		{"other_name", "", `{"monkey":"q7Rf2LpW9sXk","tokens":"q7Rf2LpW9sXk","key_id":"q7Rf2LpW9sXk"}`, "", ""},
		{"gpio", "", `{"gpio_pin":"q7Rf2LpW9sXk"}`, "", ""},
		{"random_without_a_name", "", `{"etag":"q7Rf2LpW9sXk"}`, "", ""},
		{"bad_checksum", "", strings.Replace(githubToken, "17", "18", 1), "", ""},
		{"topic_without_a_secret", "temperature", "q7Rf2LpW9sXk", "", ""},
		{"nothing", "password", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := Find([]byte(tt.under), []byte(tt.text))
			if tt.class == "" {
				if len(found) > 0 {
					t.Errorf("found %q in %q", tt.text[found[0].From:found[0].To], tt.text)
				}
				return
			}
			if len(found) != 1 || found[0].Class != tt.class || tt.text[found[0].From:found[0].To] != tt.value {
				t.Errorf("found %+v in %q, want a %s", found, tt.text, tt.class)
			}
		})
	}
}

func TestFindNamesWhatItFound(t *testing.T) {
	found := Find(nil, []byte(`a {"pin":"7Q4K-92XD-LM5R","token":"q7Rf2LpW9sXk"} b `+githubToken))
	if len(found) != 3 || string(found[0].Name) != "pin" || string(found[1].Name) != "token" || found[2].Name != nil {
		t.Errorf("found %+v", found)
	}
}

// pemOf writes a key as PEM.
func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestPrivateKeysThatParse(t *testing.T) {
	bytesOf := must[[]byte](t)
	ec := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	openssh := must[*pem.Block](t)(ssh.MarshalPrivateKey(edKey, ""))
	locked := must[*pem.Block](t)(ssh.MarshalPrivateKeyWithPassphrase(edKey, "", []byte("x")))
	pkcs8, sec1 := bytesOf(x509.MarshalPKCS8PrivateKey(ec)), bytesOf(x509.MarshalECPrivateKey(ec))
	spki := bytesOf(x509.MarshalPKIXPublicKey(&rsaKey.PublicKey))
	inJSON := string(bytesOf(json.Marshal(map[string]string{"tls": pemOf("PRIVATE KEY", pkcs8)})))
	tests := []struct {
		name, text string
		want       int
	}{
		{"pkcs8", pemOf("PRIVATE KEY", pkcs8), 1},
		{"sec1", "key:\n" + pemOf("EC PRIVATE KEY", sec1) + "end", 1},
		{"pkcs1", pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), 1},
		{"openssh", string(pem.EncodeToMemory(openssh)), 1},
		{"two", pemOf("PRIVATE KEY", pkcs8) + pemOf("EC PRIVATE KEY", sec1), 2},
		{"in_json", inJSON, 1},
		{"with_carriage_returns", strings.ReplaceAll(pemOf("PRIVATE KEY", pkcs8), "\n", "\r\n"), 1},
		{"der_in_base64", `{"key":"` + base64.StdEncoding.EncodeToString(sec1) + `"}`, 1},
		{"der_in_a_configuration", "tls_key=" + base64.StdEncoding.EncodeToString(pkcs8) + "\n", 1},
		{"encrypted", string(pem.EncodeToMemory(locked)), 0},
		{"public", pemOf("PUBLIC KEY", spki), 0},
		{"public_in_base64", `{"key":"` + base64.StdEncoding.EncodeToString(spki) + `"}`, 0},
		{"public_of_ssh", `{"key":"AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"}`, 0},
		{"cut_off", pemOf("PRIVATE KEY", pkcs8)[:100], 0},
		{"garbage", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := Find(nil, []byte(tt.text))
			if len(found) != tt.want {
				t.Fatalf("found %+v, want %d", found, tt.want)
			}
			for _, f := range found {
				if f.Class != PrivateKey {
					t.Errorf("class = %s", f.Class)
				}
			}
		})
	}
}

func TestNames(t *testing.T) {
	got := bytes.Join(Names([]byte(`{"pin":"1234","user":"x","wifi password":"none here","pin":"5"} secret=`)), []byte(","))
	if string(got) != "pin,wifi password" {
		t.Errorf("names = %q", got)
	}
}

func TestEntropy(t *testing.T) {
	for text, want := range map[string]float64{"": 0, "aaaaaaaa": 0, "abababab": 1, "abcdefgh": 3, "0123456789abcdef": 4} {
		if got := entropy([]byte(text)); got != want {
			t.Errorf("entropy of %q = %v, want %v", text, got, want)
		}
	}
}

// A device may say anything, of any length.
func TestFindIsQuickOnHostileText(t *testing.T) {
	for _, unit := range []string{`{"pin":"`, "password=", "-----BEGIN PRIVATE KEY-----\n", "MIIB", "a:", `\"`, "key>", "x://u:"} {
		begun := time.Now()
		Find([]byte("key"), []byte(strings.Repeat(unit, 2*maxText/len(unit))))
		if took := time.Since(begun); took > time.Second {
			t.Errorf("%q repeated took %s", unit, took)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte("password"), []byte("q7Rf2LpW9sXk"))
	f.Add([]byte(""), []byte(`{"pin":"7Q4K-92XD-LM5R","key":"MIIB"}`+githubToken))
	f.Add([]byte(""), []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, name, text []byte) {
		end := 0
		for _, found := range Find(name, text) {
			if found.From < end || found.To <= found.From || found.To > len(text) || found.Class == "" {
				t.Fatalf("found %+v after %d in %d bytes", found, end, len(text))
			}
			end = found.To
		}
		Names(text)
	})
}
