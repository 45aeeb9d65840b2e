package store

import "math"

// PageLimit returns how many items a page has: n as asked for, otherwise when n
// is not positive, and never more than most.
func PageLimit(n int64, otherwise, most int) int {
	if n < 1 {
		return min(otherwise, most)
	}
	return int(min(n, int64(most)))
}

// PageOffset returns how many items come before a page, which counts from 1; the
// result saturates instead of overflowing.
func PageOffset(page int64, limit int) int {
	if page <= 1 || limit < 1 {
		return 0
	}
	if page-1 > math.MaxInt32/int64(limit) {
		return math.MaxInt32
	}
	return int(page-1) * limit
}

// Offset returns an offset as asked for, within the bounds of a query.
func Offset(n int64) int { return int(max(0, min(n, math.MaxInt32))) }

// Pages returns how many pages of limit items total items make.
func Pages(total int64, limit int) int64 {
	if limit < 1 {
		return 0
	}
	return (total + int64(limit) - 1) / int64(limit)
}

// Project turns rows into messages; the result is never nil.
func Project[Row, Message any](rows []Row, message func(Row) Message) []Message {
	out := make([]Message, len(rows))
	for i, row := range rows {
		out[i] = message(row)
	}
	return out
}
