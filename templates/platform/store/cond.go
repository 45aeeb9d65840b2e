package store

import (
	"fmt"
	"slices"
	"strings"
)

// Op is how a column is compared.
type Op int

// The comparisons. OpNe also holds for NULL, which differs from every value;
// the others never do, save OpIsNull.
const (
	OpEq Op = iota
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	OpIn
	OpIsNull
	OpSearch

	opNever  // what is left of a comparison with a value that no row can have
	opAlways // and of its opposite
)

// MaxIn is how many values one In may hold.
const MaxIn = 1000

// Cond is one condition on a column. Values are compared in the column's own
// type and text by its bytes; a time.Time fits a Time column, and a Text column
// that holds times. A value that the column cannot hold, such as a UUID that is
// none, equals and precedes nothing.
type Cond struct {
	Column string
	Op     Op
	Value  any
	Values []any // of OpIn
	// Columns are those of OpSearch, in place of Column: Text columns all.
	Columns []string
}

// Eq holds where the column equals value, or is NULL if value is nil.
func Eq(column string, value any) Cond { return Cond{Column: column, Op: OpEq, Value: value} }

// Ne holds where Eq does not.
func Ne(column string, value any) Cond { return Cond{Column: column, Op: OpNe, Value: value} }

// Lt holds where the column is less than value.
func Lt(column string, value any) Cond { return Cond{Column: column, Op: OpLt, Value: value} }

// Le holds where the column is at most value.
func Le(column string, value any) Cond { return Cond{Column: column, Op: OpLe, Value: value} }

// Gt holds where the column is greater than value.
func Gt(column string, value any) Cond { return Cond{Column: column, Op: OpGt, Value: value} }

// Ge holds where the column is at least value.
func Ge(column string, value any) Cond { return Cond{Column: column, Op: OpGe, Value: value} }

// In holds where the column equals one of values; nowhere if there are none.
func In(column string, values ...any) Cond { return Cond{Column: column, Op: OpIn, Values: values} }

// IsNull holds where the column is NULL.
func IsNull(column string) Cond { return Cond{Column: column, Op: OpIsNull} }

// Search holds where one of the columns contains the text, the letters A to Z of either
// case being alike. It looks at every row that the other conditions leave.
func Search(text string, columns ...string) Cond {
	return Cond{Op: OpSearch, Value: text, Columns: columns}
}

// condition is a Cond checked against its table.
type condition struct {
	index  int
	column Column
	op     Op
	values []any    // what the column would hold; one value, except for OpIn
	among  []Column // of OpSearch
}

// check resolves a Cond, or says what is wrong with it.
func (l *layout) check(table string, columns []Column, cond Cond) (condition, error) {
	if cond.Op == OpSearch {
		return l.checkSearch(table, columns, cond)
	}
	i, ok := l.index[cond.Column]
	if !ok {
		return condition{}, fmt.Errorf("table %s: no column %q", table, cond.Column)
	}
	c := condition{index: i, column: columns[i], op: cond.Op}
	if c.op < OpEq || c.op > OpIsNull {
		return c, fmt.Errorf("table %s: there is no comparison %d", table, c.op)
	}
	if c.op == OpIsNull {
		return c, nil
	}
	if c.column.Kind == JSON {
		return c, fmt.Errorf("table %s: the JSON column %s cannot be compared", table, cond.Column)
	}
	values := []any{cond.Value}
	if c.op == OpIn {
		values = cond.Values
	}
	if len(values) > MaxIn {
		return c, fmt.Errorf("table %s: %d values for %s are more than %d", table, len(values), cond.Column, MaxIn)
	}
	for _, value := range values {
		v, err := comparableValue(c.column.Kind, value)
		if err != nil {
			return c, fmt.Errorf("table %s, column %s: %w", table, cond.Column, err)
		}
		if v == nil && c.op != OpEq && c.op != OpNe {
			return c, fmt.Errorf("table %s: %s is compared with nil", table, cond.Column)
		}
		c.add(v)
	}
	if c.op == OpEq && c.values[0] == nil {
		c.op = OpIsNull
	}
	return c, nil
}

// checkSearch resolves a search.
func (l *layout) checkSearch(table string, columns []Column, cond Cond) (condition, error) {
	c := condition{op: OpSearch}
	for _, name := range cond.Columns {
		i, ok := l.index[name]
		if !ok || columns[i].Kind != Text {
			return c, fmt.Errorf("table %s: there is no text in column %q", table, name)
		}
		c.among = append(c.among, columns[i])
	}
	value, err := comparableValue(Text, cond.Value)
	switch text, ok := value.(string); {
	case err != nil:
		return c, fmt.Errorf("table %s: search: %w", table, err)
	case !ok || len(c.among) == 0:
		c.op = opNever
	case text == "":
		c.op = opAlways
	default:
		c.values = []any{strings.Map(lowerASCII, text)}
	}
	return c, nil
}

func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + ('a' - 'A')
	}
	return r
}

// add adds a value that the column is compared with.
func (c *condition) add(value any) {
	if f, ok := value.(float64); ok && c.column.Kind == Integer {
		c.op, value = whole(c.op, f)
	}
	switch {
	case value != absent{}:
		c.values = append(c.values, value)
	case c.op == OpNe:
		c.op = opAlways
	case c.op != OpIn:
		c.op = opNever
	}
}

// sql appends the condition.
func (c condition) sql(q *text) {
	switch c.op {
	case OpIsNull:
		q.name(c.column.Name).sql(" IS NULL")
	case OpSearch:
		find := q.dialect.FindText
		q.sql("(")
		for i, column := range c.among {
			if i > 0 {
				q.sql(" OR ")
			}
			q.sql(find[0]).name(column.Name).sql(find[1]).bind(c.values[0]).sql(find[2])
		}
		q.sql(")")
	case opNever:
		q.sql("1 = 0")
	case opAlways:
		q.sql("1 = 1")
	case OpIn:
		if len(c.values) == 0 {
			q.sql("1 = 0")
			return
		}
		q.name(c.column.Name).sql(" IN (")
		for i, value := range c.values {
			if i > 0 {
				q.sql(", ")
			}
			q.bind(value)
		}
		q.sql(")")
	case OpNe:
		switch {
		case c.values[0] == nil:
			q.name(c.column.Name).sql(" IS NOT NULL")
		case c.column.Nullable:
			q.sql("(").name(c.column.Name).sql(" <> ").bind(c.values[0]).sql(" OR ").name(c.column.Name).sql(" IS NULL)")
		default:
			q.name(c.column.Name).sql(" <> ").bind(c.values[0])
		}
	case OpEq, OpLt, OpLe, OpGt, OpGe:
		q.name(c.column.Name).sql(operator(c.op)).bind(c.values[0])
	}
}

// operator returns the SQL of a comparison with one value.
func operator(op Op) string {
	return [...]string{OpEq: " = ", OpLt: " < ", OpLe: " <= ", OpGt: " > ", OpGe: " >= "}[op]
}

// holds evaluates an equality on a row that has been read.
func (c condition) holds(field any) (bool, error) {
	value, err := stored(field)
	if err != nil {
		return false, err
	}
	switch c.op {
	case opNever, opAlways:
		return c.op == opAlways, nil
	case OpIsNull:
		return value == nil, nil
	case OpEq:
		return value == c.values[0], nil
	case OpNe:
		return value != c.values[0], nil
	case OpIn:
		return slices.Contains(c.values, value), nil
	default:
		return false, fmt.Errorf("column %s: a row that has been read can only be compared for equality", c.column.Name)
	}
}
