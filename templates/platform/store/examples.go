package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// ExampleTable is a collection that example rows can go to.
type ExampleTable interface {
	name() string
	load(ctx context.Context, rows []map[string]json.RawMessage) error
}

// Examples returns a collection as a table for LoadExamples.
func Examples[T any](c *Collection[T]) ExampleTable { return examples[T]{c: c} }

// JoinedExamples is Examples where columns make the key together: none, where there is one
// row.
func JoinedExamples[T any](c *Collection[T], parts ...string) ExampleTable {
	return examples[T]{c, true, parts}
}

type examples[T any] struct {
	c      *Collection[T]
	joined bool
	parts  []string // of a joined key
}

// LoadExamples puts rows into those of the tables that are empty, those of each in one
// unit:
//
//	{"table": [{"column": value, …}, …], …}
//
// A column that a row leaves out is what the store makes of it, or NULL, or zero. A table
// one of whose rows is wrong stays empty; the error says all that is wrong.
func LoadExamples(ctx context.Context, db *DB, data []byte, tables ...ExampleTable) error {
	var rows map[string][]map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&rows); err != nil {
		return fmt.Errorf("example rows: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		if !slices.ContainsFunc(tables, func(t ExampleTable) bool { return t.name() == name }) {
			return fmt.Errorf("example rows: there is no table %s whose rows only examples bring", name)
		}
	}
	var errs []error
	for _, t := range tables {
		err := db.Run(ctx, func(ctx context.Context) error { return t.load(ctx, rows[t.name()]) })
		if err != nil {
			errs = append(errs, fmt.Errorf("example rows of %s: %w", t.name(), err))
		}
	}
	return errors.Join(errs...)
}

func (e examples[T]) name() string { return e.c.table.Name }

func (e examples[T]) load(ctx context.Context, rows []map[string]json.RawMessage) error {
	n, err := e.c.Count(ctx)
	if err != nil || n > 0 {
		return err
	}
	for i, values := range rows {
		row, err := e.row(values)
		if err == nil {
			err = e.c.Create(ctx, &row)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	return nil
}

// row makes a row of its columns' values.
func (e examples[T]) row(values map[string]json.RawMessage) (row T, err error) {
	fields, l := e.c.table.Fields(&row), e.c.layout
	for _, name := range slices.Sorted(maps.Keys(values)) {
		i, ok := l.index[name]
		if !ok {
			return row, fmt.Errorf("there is no column %s", name)
		}
		if err := setJSON(fields[i], e.c.table.Columns[i], values[name]); err != nil {
			return row, fmt.Errorf("column %s: %w", name, err)
		}
	}
	if !e.joined {
		return row, nil
	}
	parts := make([]any, len(e.parts))
	for i, name := range e.parts {
		if parts[i], err = stored(fields[l.index[name]]); err != nil {
			return row, err
		}
	}
	if key, ok := fields[l.key].(*string); ok {
		*key = Key(parts...)
	}
	return row, nil
}

// setJSON sets a field of a row to what a JSON value stands for.
func setJSON(field any, column Column, value json.RawMessage) error {
	if string(value) == "null" {
		if !column.Nullable {
			return fmt.Errorf("null is no %s", column.Kind)
		}
		return nil
	}
	f, adapted := field.(Field)
	if !adapted {
		return json.Unmarshal(value, field)
	}
	if column.Kind != Time {
		return f.Scan([]byte(value))
	}
	var t time.Time
	if err := json.Unmarshal(value, &t); err != nil {
		return err
	}
	return f.Scan(t.UnixMicro())
}
