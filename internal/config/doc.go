// Package config turns shelflife.yaml and the environment into validated
// settings. It reads one file and the environment that it is handed. It never
// opens a network connection, never loads a policy and never prints a secret.
//
// Every mistake in the file is found in one pass and reported with its line,
// its column and, for a misspelt word, the word that was probably meant. What
// cannot be known here (which policies exist, which parameters they take) is
// kept with its position, so that CheckParams can report it just as precisely.
//
// Zero values are the harmless ones: the zero Config observes and names no owner.
package config
