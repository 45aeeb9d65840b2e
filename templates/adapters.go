package templates

import (
	"fmt"
	"io/fs"
	"sync"

	"github.com/goccy/go-yaml"
)

// Adapter is what the rest of the program knows of one adapter: its adapter.yaml.
type Adapter struct {
	Kind    string   `yaml:"kind"`    // store, cache: the folder above
	Name    string   `yaml:"name"`    // its folder, and its value in the profile
	Title   string   `yaml:"title"`   // for people
	Schemes []string `yaml:"schemes"` // of the URLs that choose it
	Modules []string `yaml:"modules"` // Go modules that it needs
	// Types and Identity are SQL types: of each kind of column, and of a key that
	// the database numbers.
	Types    map[string]string `yaml:"types"`
	Identity string            `yaml:"identity"`
	// MaxIndexBytes bounds an entry of an ordinary index, 0 when nothing does. A
	// column that may hold more is indexed by LongIndex, for equality, or not at all
	// when that is "".
	MaxIndexBytes int      `yaml:"max_index_bytes"`
	LongIndex     string   `yaml:"long_index"`
	Capabilities  []string `yaml:"capabilities"`
	Env           []string `yaml:"env"` // variables that it reads beside its URL
	// Alter is how its tables change: the same words as model.Alter.
	Alter Alter `yaml:"alter"`
	// Compose is the server in a compose file; nil: it needs none.
	Compose *Compose `yaml:"compose"`
}

// Alter is how a store's tables change from one migration to the next. In its texts
// {x} stands for a value, {table}, {new} and {column} for names.
type Alter struct {
	Rebuild       bool              `yaml:"rebuild"`
	True          string            `yaml:"true"`
	False         string            `yaml:"false"`
	Now           string            `yaml:"now"`
	Char          string            `yaml:"char"`
	Convert       map[string]string `yaml:"convert"`
	KeepNumbers   string            `yaml:"keep_numbers"`
	DropReference string            `yaml:"drop_reference"`
	Unchecked     string            `yaml:"unchecked"`
}

// Compose is an adapter's server as a service of a compose file. Its values are
// printed as they stand.
type Compose struct {
	Image        string            `yaml:"image"`
	User         string            `yaml:"user"`
	Environment  map[string]string `yaml:"environment"`
	Secret       string            `yaml:"secret"`    // the variable that holds its password
	Health       string            `yaml:"health"`    // a shell command that succeeds when it is ready
	Data         string            `yaml:"data"`      // the folder that outlives the container
	Tmpfs        []string          `yaml:"tmpfs"`     // the folders that it writes besides
	Memory       string            `yaml:"mem_limit"` // 1g
	SharedMemory string            `yaml:"shm_size"`  // 128m
	URL          string            `yaml:"url"`       // DATABASE_URL of the backend; HOST stands for the container
}

// Known lists the adapters of a kind that a profile can name: those that are built,
// with a folder of their own, and those that are planned.
func Known(kind string) (built, planned []string) {
	for _, name := range listed()[kind] {
		if _, err := fs.Stat(Files, "platform/"+kind+"/"+name+"/adapter.yaml"); err == nil {
			built = append(built, name)
		} else {
			planned = append(planned, name)
		}
	}
	return built, planned
}

// listed is platform/adapters.yaml.
var listed = sync.OnceValue(func() (names map[string][]string) {
	text, err := Files.ReadFile("platform/adapters.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &names)
	}
	if err != nil {
		panic(err) // it is embedded
	}
	return names
})

// Adapters returns the adapters of a kind that are built.
func Adapters(kind string) ([]Adapter, error) {
	built, _ := Known(kind)
	adapters := make([]Adapter, len(built))
	for i, name := range built {
		var err error
		if adapters[i], err = FindAdapter(kind, name); err != nil {
			return nil, err
		}
	}
	return adapters, nil
}

// FindAdapter returns one adapter that is built.
func FindAdapter(kind, name string) (Adapter, error) {
	path := "platform/" + kind + "/" + name + "/adapter.yaml"
	text, err := Files.ReadFile(path)
	if err != nil {
		return Adapter{}, err
	}
	var a Adapter
	if err := yaml.Unmarshal(text, &a); err != nil {
		return Adapter{}, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}
