package reports

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// palette returns the colours of a scheme by name.
func palette(t *testing.T, css string) map[string]string {
	t.Helper()
	colours := map[string]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
		colours[m[1]] = m[2]
	}
	require.Len(t, colours, 23)
	return colours
}

// luminance is the relative luminance of WCAG 2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	require.InDelta(t, 21, contrast(t, "#000000", "#ffffff"), 0.01)
	require.InDelta(t, 4.54, contrast(t, "#767676", "#ffffff"), 0.01)
}

// Text has 4.5:1 against everything that it may stand on, and what a reader
// must tell apart without letters 3:1 (WCAG 2.2, 1.4.3 and 1.4.11), in both
// schemes.
func TestHTMLColoursHaveContrast(t *testing.T) {
	light, dark, found := strings.Cut(styleSheet, "prefers-color-scheme: dark")
	require.True(t, found)
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		t.Run(scheme, func(t *testing.T) {
			c := palette(t, css)
			for _, ink := range []string{"ink", "soft", "link", "fail", "open"} {
				for _, back := range []string{"page", "card", "sunk"} {
					require.GreaterOrEqual(t, contrast(t, c[ink], c[back]), 4.5, "%s on %s", ink, back)
				}
			}
			for _, v := range []string{"fail", "open", "pass", "na", "none"} {
				require.GreaterOrEqual(t, contrast(t, c[v], c[v+"-back"]), 4.5, v)
			}
			for _, shape := range []string{"fail-line", "strong", "ink"} {
				for _, back := range []string{"page", "card"} {
					require.GreaterOrEqual(t, contrast(t, c[shape], c[back]), 3.0, "%s on %s", shape, back)
				}
			}
			require.GreaterOrEqual(t, contrast(t, c["card"], c["ink"]), 4.5, "letters on a version that was taken")
		})
	}
}

// Colours come by name, so that the test above knows all of them.
func TestHTMLColoursHaveNames(t *testing.T) {
	for line := range strings.Lines(styleSheet) {
		if !strings.Contains(line, "--") || strings.Contains(line, "{") {
			require.NotRegexp(t, `#[0-9a-fA-F]{3,8}\b|rgb\(|hsl\(`, line)
		}
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`var\(--([a-z-]+)\)`).FindAllStringSubmatch(styleSheet, -1) {
		used[m[1]] = true
	}
	for name := range used {
		require.Contains(t, styleSheet, "--"+name+":")
	}
}

// Every class of the template has a rule or is one of a closed set of words.
func TestHTMLClassesHaveRules(t *testing.T) {
	for _, m := range regexp.MustCompile(`class="([^"{]+)"`).FindAllStringSubmatch(pageSource, -1) {
		for class := range strings.FieldsSeq(m[1]) {
			require.Contains(t, styleSheet, "."+class, class)
		}
	}
}
