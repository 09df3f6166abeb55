// Package action tests the GitHub Action of action.yml: its steps are run with
// bash as a runner would, in a git repository with a base branch, against a gh
// that only notes what it is asked. It holds no code of its own.
package action
