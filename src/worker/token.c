/* token.c - counting rows. */
#include "worker/token.h"

#include <reforkd/scoreboard.h>

static bool
is_free(const struct rfk_board *board)
{
	uint32_t rows =
	    2 * atomic_load_explicit(&board->workers, memory_order_relaxed);
	uint32_t collecting = 0, idle = 0, i;

	if (rows > RFK_ROWS_MAX)
		rows = RFK_ROWS_MAX;
	for (i = 0; i < rows; i++) {
		const struct rfk_row *row = &board->row[i];

		if (atomic_load(&row->collecting) != 0)
			collecting++;
		else if (atomic_load_explicit(
			     &row->work, memory_order_relaxed) == RFK_WORK_IDLE)
			idle++;
	}
	/* One alone may: with a single worker there is no other half. */
	return collecting <= 1 || collecting <= idle;
}

bool
token_take(const struct rfk_board *board, struct rfk_row *row, bool must)
{
	atomic_store(&row->collecting, 1);
	if (must || is_free(board))
		return true;
	atomic_store(&row->collecting, 0);
	return false;
}

void
token_give(struct rfk_row *row)
{
	atomic_store(&row->collecting, 0);
}
