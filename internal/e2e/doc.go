// Package e2e holds tests of the whole: the program and the harness against
// real servers, hostile ones and emulated devices, judged by what the other
// side saw and by what is on disk afterwards. It has no code of its own.
package e2e
