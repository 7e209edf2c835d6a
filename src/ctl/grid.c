#include "ctl/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
grid_row(struct grid *t)
{
	void *more;

	if (t->rows == t->cap) {
		t->cap = t->cap == 0 ? 32 : 2 * t->cap;
		more = realloc(t->cell, t->cap * sizeof(*t->cell));
		if (more == NULL)
			return false;
		t->cell = more;
	}
	memset(t->cell[t->rows++], 0, sizeof(*t->cell));
	return true;
}

void
grid_cell(struct grid *t, size_t column, const char *fmt, ...)
{
	char *cell = t->cell[t->rows - 1][column], *p;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(cell, GRID_CELL, fmt, ap);
	va_end(ap);
	for (p = cell; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (strlen(cell) > t->width[column])
		t->width[column] = strlen(cell);
}

bool
grid_begin(struct grid *t, const char *headings)
{
	char copy[256], *word, *rest = copy;

	memset(t, 0, sizeof(*t));
	(void)snprintf(copy, sizeof(copy), "%s", headings);
	if (!grid_row(t))
		return false;
	while (
	    (word = strsep(&rest, " ")) != NULL && t->columns < GRID_COLUMNS) {
		t->right[t->columns] = *word == '>';
		grid_cell(
		    t, t->columns++, "%s", *word == '>' ? word + 1 : word);
	}
	return true;
}

void
grid_end(struct grid *t)
{
	size_t i, j;

	for (i = 0; i < t->rows; i++) {
		for (j = 0; j < t->columns; j++) {
			int width = (int)t->width[j];
			const char *cell = t->cell[i][j];

			if (t->right[j])
				(void)printf("%*s", width, cell);
			else if (j + 1 < t->columns)
				(void)printf("%-*s", width, cell);
			else
				(void)printf("%s", cell);
			(void)printf("%s", j + 1 < t->columns ? "  " : "\n");
		}
	}
	free(t->cell);
}
