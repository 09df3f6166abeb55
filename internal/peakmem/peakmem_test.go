package peakmem_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/peakmem"
)

const (
	much   = 128 << 20
	little = 64 << 20
)

// touched takes that much memory and writes to every page of it.
func touched(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
	return b
}

func TestAProcessIsMeasuredByItself(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("skipped: only Linux tells the memory of a process")
	}
	held := touched(much)
	own := peakmem.Watch(os.Getpid())
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := peakmem.Watch(cmd.Process.Pid)
	if got := peak(); got <= 0 || got > little {
		t.Errorf("a small process took %d bytes, want some, and not those of its parent", got)
	}
	if got := own(); got < much {
		t.Errorf("this process took %d bytes, want %d at least", got, much)
	}
	runtime.KeepAlive(held)
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestAProcessThatIsNotThereTookNothing(t *testing.T) {
	if got := peakmem.Watch(-1)(); got != 0 {
		t.Errorf("%d bytes", got)
	}
}
