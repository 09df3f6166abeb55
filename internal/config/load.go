package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// DefaultFile is read when neither a flag nor SHELFLIFE_CONFIG names a file.
const DefaultFile = "shelflife.yaml"

// Self stands for the authenticated user where an owner is named on the command line.
const Self = "@me"

// MaxFile bounds the size of a configuration file, in bytes.
const MaxFile = 1 << 20

// ErrNoFile says that no file was named and that DefaultFile is not there:
// Default is what holds then. A file that was named and is missing is another error.
var ErrNoFile = errors.New("no " + DefaultFile + " here")

// Load reads a configuration file and the environment. path "" means
// SHELFLIFE_CONFIG, or else DefaultFile in the working directory, or else
// ErrNoFile. Mistakes in the file come back as Errors.
func Load(path string, env func(string) string) (Config, error) {
	named := path != ""
	if !named {
		path = env("SHELFLIFE_CONFIG")
		named = path != ""
	}
	if !named {
		path = DefaultFile
	}
	data, err := readFile(path)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("%w: write one, name one with --config, or set GITHUB_TOKEN and name an owner", ErrNoFile)
	}
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, data, env)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Parse reads a configuration that is in memory. name is used for positions,
// and its folder for relative paths.
func Parse(name string, data []byte, env func(string) string) (Config, error) {
	c := defaults()
	c.File = name
	settings, err := FromEnv(env)
	if err != nil {
		return Config{}, err
	}
	if len(data) > MaxFile {
		return Config{}, Errors{{Position: Position{File: name}, Message: fmt.Sprintf("larger than %d bytes; is this the right file?", MaxFile)}}
	}
	root, problem := parseYAML(name, data)
	if problem != nil {
		return Config{}, Errors{*problem}
	}
	if err := CheckExpanded(root); err != nil {
		return Config{}, Errors{{Position: Position{name, root.Line, root.Column}, Message: err.Error()}}
	}
	d := newDecoder(name)
	d.decode(root, "", reflect.ValueOf(&c).Elem())
	d.validate(&c)
	if err := asError(d.problems); err != nil {
		return Config{}, err
	}
	c.at = d.at
	for i := range c.Owners {
		c.Owners[i].complete()
	}
	c.resolvePaths(filepath.Dir(name))
	c.apply(settings)
	return c, nil
}

// Default is the configuration without a file: the given organizations,
// observed with the shipped policies and the credential of the environment.
func Default(env func(string) string, logins ...string) (Config, error) {
	settings, err := FromEnv(env)
	if err != nil {
		return Config{}, err
	}
	c := defaults()
	c.Policies.Builtin = true
	for _, l := range logins {
		if l != Self && !login.MatchString(l) {
			return Config{}, fmt.Errorf("%s is not a GitHub login; name an organization or a user", quote(l))
		}
		if _, ok := c.Owner(l); ok {
			continue
		}
		o := Owner{Login: l}
		if l == Self {
			o.Kind = retention.User
		}
		o.complete()
		c.Owners = append(c.Owners, o)
	}
	c.apply(settings)
	return c, nil
}

// apply lets the environment beat the file.
func (c *Config) apply(s Settings) {
	c.Env = s
	c.API.GitHubURL = strings.TrimRight(c.API.GitHubURL, "/")
	c.API.RegistryURL = strings.TrimRight(c.API.RegistryURL, "/")
	if s.GitHubURL != "" {
		c.API.GitHubURL = s.GitHubURL
	}
	if s.RegistryURL != "" {
		c.API.RegistryURL = s.RegistryURL
	}
}

// resolvePaths makes the paths in the file relative to the file's folder.
func (c *Config) resolvePaths(dir string) {
	paths := []*string{&c.Policies.Path, &c.Policies.Data}
	if !strings.Contains(c.Policies.Bundle, "://") {
		paths = append(paths, &c.Policies.Bundle)
	}
	if !strings.Contains(c.Policies.VerificationKey, ":") {
		paths = append(paths, &c.Policies.VerificationKey)
	}
	for i := range c.Owners {
		if cred := c.Owners[i].Credentials; cred != nil {
			paths = append(paths, &cred.PrivateKeyFile)
		}
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parseYAML reads exactly one YAML document. An empty one is an empty mapping.
func parseYAML(name string, data []byte) (*yaml.Node, *Problem) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: 1, Column: 1}, nil
	}
	if err == nil {
		if err = dec.Decode(&second); err == nil {
			return nil, &Problem{Position: Position{name, second.Line, second.Column}, Message: "a second document starts here; keep one"}
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		p := Problem{Position: Position{File: name}, Message: yamlLine.ReplaceAllString(err.Error(), "") + "; repair the YAML"}
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil && m[1] != "" {
			p.Line, p.Column = 1, 1
			if n, err := strconv.Atoi(m[1]); err == nil {
				p.Line = n
			}
		}
		return nil, &p
	}
	if len(doc.Content) == 0 {
		return nil, &Problem{Position: Position{name, 1, 1}, Message: "there is no document here; write version: 1"}
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		root = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: 1, Column: 1}
	}
	return root, nil
}
