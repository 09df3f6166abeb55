//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ownerlock

import (
	"errors"
	"os"
	"syscall"
)

// Supported says whether locks hold on this system.
const Supported = true

// tryLock locks an open file without waiting; false when another has it.
func tryLock(f *os.File, alone bool) (bool, error) {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return err == nil, err
		}
	}
}
