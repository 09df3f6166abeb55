package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/bounded"
	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policybundle"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/policies"
)

type buildFlags struct {
	out, key, alg, keyID, revision string
	sign                           bool
}

func (a *app) policyBuildCommand() *cobra.Command {
	var f buildFlags
	c := &cobra.Command{
		Use:   "build [PATH]",
		Short: "Write the policies as an OPA bundle, signed if asked to",
		Long: `Check the policies of a folder, or else the shipped ones, and write them with the
library and their defaults as an OPA bundle. The stock opa reads and verifies it.

--sign signs it with a private key; policies.verification_key is its public half:

  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out bundle.key
  openssl pkey -in bundle.key -pubout -out bundle.pub`,
		Example: `  shelflife policy build ./policies --out bundle.tar.gz
  shelflife policy build ./policies --out bundle.tar.gz --sign --key bundle.key --revision "$(git rev-parse HEAD)"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.buildBundle(c, args, f) },
	}
	c.Flags().StringVar(&f.out, "out", "", "write the bundle to this file (needed)")
	c.Flags().BoolVar(&f.sign, "sign", false, "sign it with --key")
	c.Flags().StringVar(&f.key, "key", "", "PEM file of the private key")
	c.Flags().StringVar(&f.alg, "alg", "RS256", "signature algorithm: RS256, ES256, EdDSA and their kin")
	c.Flags().StringVar(&f.keyID, "key-id", policy.DefaultKeyID, "id of the key, which the signature names")
	c.Flags().StringVar(&f.revision, "revision", "", "what to call it (default: a digest of its content)")
	return c
}

func (a *app) buildBundle(c *cobra.Command, args []string, f buildFlags) error {
	switch {
	case f.out == "":
		return usagef("where to? Name the bundle's file with --out")
	case f.sign != (f.key != ""):
		return usagef("--sign and --key go together: a signature takes a private key")
	}
	o := policy.BuildOptions{Revision: f.revision, Options: policy.Options{Builtin: len(args) == 0}}
	if len(args) > 0 {
		o.Path = args[0]
	}
	if f.sign {
		key, err := bounded.ReadFile(f.key, policybundle.MaxKeyBytes)
		if err != nil {
			return usagef("read the signing key: %w", err)
		}
		o.Sign = &policy.SigningKey{PEM: key, Algorithm: f.alg, ID: f.keyID}
	}
	archive, identity, err := policy.BuildBundle(c.Context(), policies.FS, o)
	if err != nil {
		return usage(err)
	}
	if err := replaceFile(f.out, archive); err != nil {
		return err
	}
	doc := struct {
		File     string `json:"file"`
		Revision string `json:"revision"`
		Digest   string `json:"digest"`    // of what decides
		Archive  string `json:"archive"`   // of the file
		SignedBy string `json:"signed_by"` // key id, "" for none
	}{f.out, identity.Revision, identity.Digest, bundles.Digest(archive), ""}
	signed := "not signed"
	if f.sign {
		doc.SignedBy, signed = f.keyID, "signed with "+f.alg+", key id "+f.keyID
	}
	g := report.Grid{Columns: []string{"BUNDLE", "REVISION", "DIGEST", "SIGNATURE"}, Document: doc}
	g.Rows = [][]string{{f.out, identity.Revision, shortName(identity.Digest), signed}}
	return a.show(g)
}

// replaceFile puts a file in its place at once, so that nobody reads half of it.
func replaceFile(name string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	return err
}
