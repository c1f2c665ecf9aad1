package reports

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/internal/peers"
)

// maxBrowser bounds the whole test; it takes about four seconds.
const maxBrowser = time.Minute

// browser starts Chromium with one tab, and stops it with the test. It lists
// what the tab asks for.
func browser(t *testing.T) (ctx context.Context, asked func() []string) {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); path == "" && err == nil {
			path = found
		}
	}
	peers.Need(t, path != "", "chromium")
	ctx, cancel := context.WithTimeout(t.Context(), maxBrowser)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancelBrowser := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelBrowser)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	requests := make(chan string, 1000)
	require.NoError(t, chromedp.Listen(ctx, func(ev any) {
		if sent, ok := ev.(*network.EventRequestWillBeSent); ok {
			requests <- sent.Request.URL
		}
	}))
	require.NoError(t, chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, network.Enable, network.EnableParams{})
		return err
	})))
	return ctx, func() (urls []string) {
		for {
			select {
			case u := <-requests:
				urls = append(urls, u)
			default:
				return urls
			}
		}
	}
}

// file writes a page and returns its address.
func file(t *testing.T, name, page string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(page), 0o600))
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// The page of a hostile device runs nothing and asks for nothing but itself in
// a real browser, and fits a phone and a desk, by day and by night.
func TestHTMLInABrowser(t *testing.T) {
	ctx, asked := browser(t)
	var hits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer server.Close()

	attack := fmt.Sprintf(`<script>document.title="owned"</script><img src=%[1]s/i onerror="document.title='owned'"><link rel=stylesheet href=%[1]s/c>`+
		`<svg onload="document.title='owned'"></svg><iframe src=%[1]s/f></iframe><style>@import "%[1]s/s";</style><a href="javascript:document.title='owned'">x</a>`, server.URL)
	page := inHTML(t, poison(t, `"'></pre></title></style>`+attack, everyString), Options{})
	require.Contains(t, page, "owned")

	t.Run("texts_are_texts", func(t *testing.T) {
		self := file(t, "hostile.html", page)
		title := visit(t, ctx, self)
		require.Contains(t, title, "security test report")
		require.Equal(t, []string{self}, asked())
		n, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll("script,img,link,iframe,object,embed,form,[style]").length`))
		require.NoError(t, err)
		require.Zero(t, n)
	})
	t.Run("policy_stops_what_gets_through", func(t *testing.T) {
		broken := strings.Replace(page, "</main>", attack+"</main>", 1)
		title := visit(t, ctx, file(t, "broken.html", broken))
		require.Contains(t, title, "security test report")
		require.Zero(t, hits.Load())
	})
	t.Run("without_policy_it_would_run", func(t *testing.T) { // the control of the two above
		bare := strings.Replace(strings.Replace(page, "</main>", attack+"</main>", 1), "Content-Security-Policy", "X", 1)
		require.Equal(t, "owned", visit(t, ctx, file(t, "bare.html", bare)))
		require.Positive(t, hits.Load())
	})
	for _, name := range []string{"hostile", "insecure"} {
		r := poison(t, strings.Repeat("W", 600), values)
		if name == "insecure" {
			r = judged(t, name)
		}
		visit(t, ctx, file(t, name+".html", strings.ReplaceAll(inHTML(t, r, Options{}), "<details", "<details open")))
		for _, width := range []int64{360, 1280} {
			t.Run(fmt.Sprintf("%s_fits_%d", name, width), func(t *testing.T) { fits(t, ctx, width) })
		}
	}
}

// visit opens a page and returns its title once it is loaded.
func visit(t *testing.T, ctx context.Context, address string) string { //nolint:revive // t comes first in tests
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address)))
	title, err := chromedp.Run(ctx, chromedp.Title())
	require.NoError(t, err)
	return title
}

// fits demands that nothing sticks out of the window, in both schemes, and that
// they differ.
func fits(t *testing.T, ctx context.Context, width int64) { //nolint:revive // t comes first in tests
	t.Helper()
	grounds := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			return err
		})))
		wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
		require.NoError(t, err)
		if wide > width {
			culprits, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll, nav") && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.className).slice(0, 9).join(" ")`))
			require.NoError(t, err)
			t.Errorf("%s: %d wide in a window of %d: %s", scheme, wide, width, culprits)
		}
		grounds[scheme], err = chromedp.Run(ctx, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`))
		require.NoError(t, err)
	}
	require.Equal(t, map[string]string{"light": "rgb(246, 247, 248)", "dark": "rgb(20, 23, 27)"}, grounds, "the style sheet is not in force")
}
