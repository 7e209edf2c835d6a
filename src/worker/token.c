/* token.c - counting rows. */
#include "worker/token.h"

#include "ipc/board.h"

static bool
is_free(const struct rfk_board *board, const struct rfk_row *mine)
{
	uint32_t collecting = 0, idle = 0, rows, i;
	const struct rfk_row *row = board_pool_rows(board, mine, &rows, NULL);

	for (i = 0; i < rows; i++, row++) {

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
	if (must || is_free(board, row))
		return true;
	atomic_store(&row->collecting, 0);
	return false;
}

void
token_give(struct rfk_row *row)
{
	atomic_store(&row->collecting, 0);
}
