//go:build !linux

package cli

// mayCapture says that frames can be captured on Linux only.
func mayCapture() finding {
	return finding{What: "capture of traffic", Seen: "works on Linux only; everything else works here"}
}
