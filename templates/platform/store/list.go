package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// MaxLimit is the largest page. A larger Query.Limit is taken for it.
const MaxLimit = 1000

// Order is one column that a list is sorted by. Text is sorted by its bytes, and
// NULL counts as greater than every value.
type Order struct {
	Column string
	Desc   bool
}

// Query says which rows List returns, and in which order. The key is added to
// Sort where it is not in it, so that the order is always total.
type Query struct {
	Where  []Cond // all of them hold
	Sort   []Order
	Limit  int    // rows per page, at least 1
	Cursor string // Page.Next of the page before
	Offset int    // rows to skip; not together with Cursor
}

// Page is a part of a list. Next is the cursor of the part after it, "" at the
// end.
type Page[T any] struct {
	Items   []T
	Next    string
	HasMore bool
}

// List returns the rows that meet q. A page that is found by a cursor goes on
// behind the last row of the page before, whatever was written in between. It
// returns *InvalidCursor for a text that is not a cursor of the same table,
// conditions and order.
func (c *Collection[T]) List(ctx context.Context, q Query) (Page[T], error) {
	if c.broken != nil {
		return Page[T]{}, c.broken
	}
	if q.Limit < 1 || q.Offset < 0 {
		return Page[T]{}, fmt.Errorf("list %s: limit %d must be at least 1 and offset %d at least 0", c.table.Name, q.Limit, q.Offset)
	}
	if q.Cursor != "" && q.Offset > 0 {
		return Page[T]{}, errors.New("list " + c.table.Name + ": an offset does not go with a cursor")
	}
	q.Limit = min(q.Limit, MaxLimit)
	terms, err := c.terms(q.Sort)
	if err != nil {
		return Page[T]{}, err
	}
	statement, list, err := c.listing(ctx, q, terms)
	if err != nil {
		return Page[T]{}, err
	}
	items, err := c.scanAll(ctx, statement, q.Limit+1)
	if err != nil {
		return Page[T]{}, fmt.Errorf("list %s: %w", c.table.Name, err)
	}
	page := Page[T]{Items: items}
	if len(items) > q.Limit {
		page.Items, page.HasMore = items[:q.Limit], true
		page.Next, err = c.cursorOf(list.digest(), terms, &items[q.Limit-1])
	}
	return page, err
}

// listing builds the statement of a list, and what its cursors are bound to.
func (c *Collection[T]) listing(ctx context.Context, q Query, terms []term) (*text, shape, error) {
	statement := &text{dialect: &c.db.dialect}
	statement.sql(c.layout.selectFrom)
	if err := c.filter(statement, q.Where); err != nil {
		return nil, shape{}, err
	}
	list := shape{text: statement.String(), args: slices.Clip(statement.args), terms: terms}
	if q.Cursor != "" {
		values, err := c.position(ctx, q.Cursor, list.digest(), terms)
		if err != nil {
			return nil, shape{}, err
		}
		if len(q.Where) == 0 {
			statement.sql(" WHERE ")
		} else {
			statement.sql(" AND ")
		}
		after(statement, terms, values)
	}
	statement.sql(" ORDER BY ")
	for i, t := range terms {
		if i > 0 {
			statement.sql(", ")
		}
		t.order(statement)
	}
	statement.sql(" LIMIT ").bind(int64(q.Limit) + 1)
	if q.Offset > 0 {
		statement.sql(" OFFSET ").bind(int64(q.Offset))
	}
	return statement, list, nil
}

func (c *Collection[T]) scanAll(ctx context.Context, statement *text, limit int) ([]T, error) {
	items := make([]T, 0, min(limit, 64))
	_, err := c.db.each(ctx, statement.String(), statement.args, func() []any {
		items = append(items, *new(T))
		return c.table.Fields(&items[len(items)-1])
	})
	if err != nil {
		return nil, c.db.failed(ctx, "query", err)
	}
	return items, nil
}
