/*
 * grid.h - columns of text on a terminal, as wide as what stands in them.
 *
 * Runs in:    reforkctl
 * Owns:       the cells, until grid_end has printed them
 * After fork: never forks
 * Raises:     never
 */
#ifndef CTL_GRID_H
#define CTL_GRID_H

#include <stdbool.h>
#include <stddef.h>

#define GRID_COLUMNS 16
#define GRID_CELL 200

struct grid {
	size_t columns, rows, cap;
	bool right[GRID_COLUMNS];
	size_t width[GRID_COLUMNS];
	char (*cell)[GRID_COLUMNS][GRID_CELL];
};

/* Headings from one string; a leading '>' makes a column flush right. */
bool grid_begin(struct grid *, const char *headings);
bool grid_row(struct grid *); /* false: no memory */
/* Of the last row; control characters become '?'. */
void grid_cell(struct grid *, size_t column, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void grid_end(struct grid *);

#endif
