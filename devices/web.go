package devices

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"html"
	"io"
	"log"
	"net/http"
	"time"
)

const (
	webPatience = 10 * time.Second // for a request or an answer; all are small
	webIdle     = 30 * time.Second // between two requests, as browsers make them
	webHeader   = 8 << 10          // bytes of a request's header
	webBody     = 4 << 10          // bytes of a form
)

// A web is the HTTP server of one boot. It is handed connections that others
// accepted.
type web struct {
	server http.Server
	*handover
	done chan struct{}
}

// newWeb serves the set-up page. What it shows to everybody is in the first
// paragraph; settings need the administrator's password.
func newWeb(b *boot) *web {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.page)
	mux.HandleFunc("/setup", b.setup)
	if b.unit.oddities.AnswersEveryPath {
		return serveWeb(http.HandlerFunc(b.page))
	}
	return serveWeb(mux)
}

// newEmptyWeb serves no page at all.
func newEmptyWeb() *web { return serveWeb(http.NotFoundHandler()) }

func serveWeb(h http.Handler) *web {
	return &web{
		server: http.Server{
			Handler:           http.MaxBytesHandler(h, webBody),
			ReadHeaderTimeout: webPatience,
			ReadTimeout:       webPatience,
			WriteTimeout:      webPatience,
			IdleTimeout:       webIdle,
			MaxHeaderBytes:    webHeader,
			ErrorLog:          log.New(io.Discard, "", 0),
		},
		handover: newHandover(),
		done:     make(chan struct{}),
	}
}

func (b *boot) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><html lang=en><title>%[1]s</title><h1>%[1]s</h1><p>On for %s, start %d.</p><p><a href=/setup>Settings</a></p>\n",
		html.EscapeString(b.unit.greeting()), b.up(), b.number)
}

func (b *boot) setup(w http.ResponseWriter, r *http.Request) {
	user, got, _ := r.BasicAuth()
	if !b.unit.mayConfigure(user, got) {
		w.Header().Set("WWW-Authenticate", `Basic realm="settings"`)
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><html lang=en><title>Settings</title><h1>Settings</h1><p>Nothing to set.</p>\n")
}

// mayConfigure says whether user and password are a credential for HTTP.
func (u unit) mayConfigure(user, got string) bool {
	for _, c := range u.file.Credentials {
		if c.Service != "http" || c.User != user {
			continue
		}
		want, err := password(u.serial, c.ID)
		return err == nil && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
	}
	return false
}

func (s *web) begin() error {
	go func() {
		defer close(s.done)
		_ = s.server.Serve(s.handover) // ends with ErrServerClosed only
	}()
	return nil
}

func (s *web) end() error {
	err := errors.Join(s.server.Close(), s.Close())
	<-s.done
	return err
}
