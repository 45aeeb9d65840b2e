package store

import "fmt"

// term is one column of a total order.
type term struct {
	index  int
	column Column
	desc   bool
}

// terms makes sort total: the key closes it. What follows the key, or repeats a
// column, decides nothing and is left out.
func (c *Collection[T]) terms(sort []Order) ([]term, error) {
	terms := make([]term, 0, len(sort)+1)
	seen := make(map[int]bool, len(sort)+1)
	for _, o := range append(sort[:len(sort):len(sort)], Order{Column: c.table.Key}) {
		i, ok := c.layout.index[o.Column]
		if !ok {
			return nil, fmt.Errorf("table %s: no column %q", c.table.Name, o.Column)
		}
		column := c.table.Columns[i]
		if column.Kind == JSON {
			return nil, fmt.Errorf("table %s: the JSON column %s cannot be sorted by", c.table.Name, o.Column)
		}
		if !seen[i] && !seen[c.layout.key] {
			terms = append(terms, term{index: i, column: column, desc: o.Desc})
			seen[i] = true
		}
	}
	return terms, nil
}

// order appends the term to an ORDER BY clause. NULL is greater than every
// value; engines disagree about that, so it is spelt out.
func (t term) order(q *text) {
	direction := ""
	if t.desc {
		direction = " DESC"
	}
	if t.column.Nullable {
		q.name(t.column.Name).sql(" IS NULL", direction, ", ")
	}
	q.name(t.column.Name).sql(direction)
}

// after appends the condition that holds for the rows behind values, one per
// term: (a > 1 OR (a = 1 AND (b < 2 OR (b = 2 AND …)))). Row values, (a, b) >
// (1, 2), would lose rows with NULL and cannot mix directions.
func after(q *text, terms []term, values []any) {
	first := terms[0]
	if len(terms) > 1 && values[0] != nil && !first.column.Nullable {
		// It follows from the rest, but a range on one column is what an index
		// serves best.
		bound := " >= "
		if first.desc {
			bound = " <= "
		}
		q.name(first.column.Name).sql(bound).bind(values[0]).sql(" AND ")
	}
	for i, t := range terms {
		q.sql("(")
		t.beyond(q, values[i])
		if i < len(terms)-1 {
			q.sql(" OR (")
			if values[i] == nil {
				q.name(t.column.Name).sql(" IS NULL AND ")
			} else {
				q.name(t.column.Name).sql(" = ").bind(values[i]).sql(" AND ")
			}
		}
	}
	for i := range terms {
		if i > 0 {
			q.sql("))")
		}
	}
	q.sql(")")
}

// beyond appends the condition that the column is behind value.
func (t term) beyond(q *text, value any) {
	switch {
	case value == nil && t.desc: // NULL comes first
		q.name(t.column.Name).sql(" IS NOT NULL")
	case value == nil: // NULL comes last
		q.sql("1 = 0")
	case t.desc:
		q.name(t.column.Name).sql(" < ").bind(value)
	case t.column.Nullable:
		q.name(t.column.Name).sql(" > ").bind(value).sql(" OR ").name(t.column.Name).sql(" IS NULL")
	default:
		q.name(t.column.Name).sql(" > ").bind(value)
	}
}
