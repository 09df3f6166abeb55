//go:build !linux

package lambdatest

import (
	"errors"
	"syscall"
)

// errLinux is why nothing runs elsewhere: the bootstraps are Linux programs.
var errLinux = errors.New("bootstraps run on Linux only")

func attributes() *syscall.SysProcAttr { return nil }
func killGroup(int) error              { return errLinux }
func freezeGroup(int) error            { return errLinux }
func thawGroup(int) error              { return errLinux }
