// Package scenarios holds end-to-end tests of what happens to container images:
// each file in testdata seeds the simulator, plans with the real policies,
// applies, pulls what is left with a registry client, and undoes. It holds no
// code of its own and is never part of a program.
package scenarios
