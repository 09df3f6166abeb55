package lambdatest

import "syscall"

// attributes put a bootstrap in a process group of its own, which ends with this
// process in whatever way that ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(pid int) error   { return syscall.Kill(-pid, syscall.SIGKILL) }
func freezeGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGSTOP) }
func thawGroup(pid int) error   { return syscall.Kill(-pid, syscall.SIGCONT) }
