package bundle

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// killDir tells a copy of the test program to be a run that will be killed.
const killDir = "ASSAY_TEST_KILL_DIR"

// killRecords is how many records such a run has to bring.
const killRecords = 150

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		if err := runToBeKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runToBeKilled begins or resumes a run and announces each record on standard
// output once it was taken.
func runToBeKilled(dir string) error {
	id, err := age.ParseX25519Identity(os.Getenv("ASSAY_TEST_IDENTITY"))
	if err != nil {
		return err
	}
	j, err := Resume(dir, id)
	if errors.Is(err, fs.ErrNotExist) {
		j, err = Create(dir, Head{"r", "t"}, []age.Recipient{id.Recipient()})
	}
	if err != nil {
		return err
	}
	if err := j.Input(RunName, []byte("{}")); err != nil {
		return err
	}
	for seq := len(j.Log()) + 1; seq <= killRecords; seq++ {
		if err := collectOne(j, seq); err != nil {
			return err
		}
		fmt.Println(seq)
	}
	return nil
}

// TestE6KilledAnywhere kills a run at random moments until one lives to its
// end. Every record that was announced is there, once.
func TestE6KilledAnywhere(t *testing.T) {
	id := newIdentity(t)
	dir := filepath.Join(t.TempDir(), "d")
	rng := rand.New(rand.NewPCG(3, 4))
	announced, kills := 0, 0
	for rounds, ended := 0, false; !ended; rounds++ {
		if rounds == 25 {
			rng = nil // enough: let it live
		}
		require.LessOrEqual(t, rounds, 25, "the last one was not killed")
		announced, ended = runAndKill(t, dir, id, rng, announced)
		j, err := Resume(dir, id)
		if err != nil { // killed before the head was whole
			require.Zero(t, announced, err)
			require.NoError(t, os.RemoveAll(dir))
			continue
		}
		require.GreaterOrEqual(t, len(j.Log()), announced)
		require.LessOrEqual(t, len(j.Log()), announced+1, "at most one that was taken and not announced")
		require.GreaterOrEqual(t, j.Logins(evidence.DUT, "ssh", "root"), len(j.Log()))
		announced = len(j.Log())
		require.NoError(t, j.Close())
		kills++
	}
	require.Greater(t, kills, 10)

	j, err := Resume(dir, id)
	require.NoError(t, err)
	defer j.Close()
	out := filepath.Join(t.TempDir(), "x")
	_, err = Pack(j, out, signerOf(1))
	require.NoError(t, err)
	b, err := Open(out, Limits{})
	require.NoError(t, err)
	defer b.Close()
	require.Len(t, b.Log(), killRecords)
}

// runAndKill returns the last record that a run announced, and whether it came
// to its end. With rng it is killed somewhere on its way.
func runAndKill(t *testing.T, dir string, id *age.X25519Identity, rng *rand.Rand, announced int) (int, bool) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killDir+"="+dir, "ASSAY_TEST_IDENTITY="+id.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	stopAfter := killRecords + 1
	if rng != nil {
		stopAfter = rng.IntN(6)
		if stopAfter == 0 {
			time.AfterFunc(time.Duration(rng.IntN(20))*time.Millisecond, func() { cmd.Process.Kill() })
		}
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		announced, err = strconv.Atoi(lines.Text())
		require.NoError(t, err)
		if stopAfter--; stopAfter == 0 {
			time.AfterFunc(time.Duration(rng.IntN(3000))*time.Microsecond, func() { cmd.Process.Kill() })
		}
	}
	return announced, cmd.Wait() == nil
}
