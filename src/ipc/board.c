/*
 * board.c - the scoreboard's memory, and the sequence lock around a unit.
 *
 * What belongs to one unit of work (state, start, deadline, method, path)
 * changes while `seq` is odd, so that a reader never takes one request's
 * deadline with another one's path. Each store in between is a release and each
 * load an acquire: no fences, which x86 does not need and TSan does not know.
 */
#include "ipc/board.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reforkd/version.h>

#include "base/clock.h"
#include "base/fd.h"

/* A writer that was killed inside leaves seq odd: readers give up soon. */
#define VIEW_TRIES 64

/*
 * All of it is mapped from the beginning; the file has the rows of the pools
 * that there are, for a limit of file size (ulimit -f) holds for it, too.
 */
#define BOARD_SIZE                                                             \
	(sizeof(struct rfk_board) + RFK_BOARD_ROWS * sizeof(struct rfk_row))
#define FILE_SIZE(pools)                                                       \
	(sizeof(struct rfk_board) +                                            \
	    (size_t)(pools)*RFK_ROWS_MAX * sizeof(struct rfk_row))

#define get(field) atomic_load_explicit(&(field), memory_order_relaxed)
#define set(field, value)                                                      \
	atomic_store_explicit(&(field), (value), memory_order_relaxed)
#define get_acquire(field) atomic_load_explicit(&(field), memory_order_acquire)
#define set_release(field, value)                                              \
	atomic_store_explicit(&(field), (value), memory_order_release)

static struct rfk_board *
map(int fd)
{
	void *p =
	    mmap(NULL, BOARD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p != MAP_FAILED ? p : NULL;
}

struct rfk_board *
board_make(int *give_fd)
{
	struct rfk_board *board = NULL;
	int fd;

	*give_fd = -1;
	fd = memfd_create("reforkd-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t)FILE_SIZE(1)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		goto out;
	board = map(fd);
	if (board == NULL)
		goto out;
	board->magic = RFK_BOARD_MAGIC;
	board->protocol = RFK_PROTOCOL;
	board->rows = RFK_BOARD_ROWS;
	set(board->master_pid, getpid());
	*give_fd = fd;
	fd = -1;
out:
	fd_close(&fd);
	return board;
}

int
board_grow(int fd, uint32_t pools)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size >= (off_t)FILE_SIZE(pools))
		return 0;
	return ftruncate(fd, (off_t)FILE_SIZE(pools)) < 0 ? -errno : 0;
}

struct rfk_board *
board_map(int fd)
{
	struct rfk_board *board;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	/* A smaller file would be a SIGBUS later. */
	if (st.st_size < (off_t)FILE_SIZE(1) ||
	    st.st_size > (off_t)BOARD_SIZE) {
		errno = EPROTO;
		return NULL;
	}
	board = map(fd);
	if (board != NULL && (board->magic != RFK_BOARD_MAGIC ||
				 board->protocol != RFK_PROTOCOL ||
				 board->rows != RFK_BOARD_ROWS)) {
		(void)munmap(board, BOARD_SIZE);
		errno = EPROTO;
		return NULL;
	}
	return board;
}

const struct rfk_row *
board_pool_rows(const struct rfk_board *board, const struct rfk_row *mine,
    uint32_t *rows, uint32_t *workers)
{
	size_t pool = (size_t)(mine - board->row) / RFK_ROWS_MAX;
	uint32_t n = get(board->pool[pool].workers);

	if (workers != NULL)
		*workers = n;
	*rows = n < RFK_SLOTS_MAX ? 2 * n : RFK_ROWS_MAX;
	return &board->row[pool * RFK_ROWS_MAX];
}

static uint32_t
write_begin(struct rfk_row *row)
{
	/* Odd already: the row's last writer died in here. */
	uint32_t seq = get(row->seq) | 1u;

	set_release(row->seq, seq);
	return seq;
}

static void
write_end(struct rfk_row *row, uint32_t seq)
{
	set_release(row->seq, seq + 1);
}

/* Bytes by atomic stores: the other side may be reading them. */
static void
text_put(char *out, size_t cap, const char *text, size_t len)
{
	size_t i;

	if (len > cap - 1)
		len = cap - 1;
	for (i = 0; i < len; i++)
		__atomic_store_n(&out[i], text[i], __ATOMIC_RELEASE);
	__atomic_store_n(&out[len], '\0', __ATOMIC_RELEASE);
}

/* As far as the NUL, and never further than cap. */
static void
text_get(const char *in, size_t cap, char *out)
{
	size_t i;

	for (i = 0; i < cap - 1; i++) {
		unsigned char c =
		    (unsigned char)__atomic_load_n(&in[i], __ATOMIC_ACQUIRE);

		if (c == '\0')
			break;
		out[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	out[i] = '\0';
}

static void
counters_clear(struct rfk_row *row)
{
	size_t i;

	set(row->requests, 0);
	set(row->inherited, 0);
	set(row->errors, 0);
	set(row->refused, 0);
	set(row->accepted, 0);
	set(row->kept, 0);
	set(row->unsafe, 0);
	set(row->faults_start, 0);
	set(row->faults_now, 0);
	set(row->gc_count, 0);
	set(row->gc_in_request, 0);
	set(row->gc_major_in, 0);
	set(row->gc_hits, 0);
	set(row->gc_waste, 0);
	set(row->gc_in_us, 0);
	set(row->gc_out_us, 0);
	set(row->gc_saved_us, 0);
	set(row->gc_nursery, 0);
	set(row->gc_pulls, 0);
	set(row->collecting, 0);
	set(row->bytes_in, 0);
	set(row->bytes_out, 0);
	for (i = 0; i < RFK_BUCKETS; i++) {
		set(row->queue_us[i], 0);
		set(row->service_us[i], 0);
	}
}

void
board_row_clear(struct rfk_row *row)
{
	uint32_t seq = write_begin(row);

	set_release(row->work, RFK_WORK_NONE);
	set_release(row->generation, 0);
	set_release(row->pid, 0);
	set_release(row->born_ms, 0);
	set_release(row->beat_ms, 0);
	set_release(row->unit_ms, 0);
	set_release(row->deadline_ms, 0);
	text_put(row->method, sizeof(row->method), "", 0);
	text_put(row->path, sizeof(row->path), "", 0);
	counters_clear(row);
	write_end(row, seq);
}

void
board_row_born(
    struct rfk_row *row, uint32_t generation, pid_t pid, uint64_t inherited)
{
	uint64_t now_ms = clock_ms();
	struct rusage usage;
	uint64_t faults = 0;
	uint32_t seq;

	board_row_clear(row);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		faults = (uint64_t)usage.ru_minflt;
	set(row->inherited, inherited);
	set(row->faults_start, faults);
	set(row->faults_now, faults);
	seq = write_begin(row);
	set_release(row->generation, generation);
	set_release(row->pid, pid);
	set_release(row->born_ms, now_ms);
	set_release(row->beat_ms, now_ms);
	set_release(row->work, RFK_WORK_BOOTING);
	write_end(row, seq);
}

void
board_row_beat(struct rfk_row *row, enum rfk_work work, uint64_t now_ms)
{
	set(row->beat_ms, now_ms);
	set_release(row->work, (uint32_t)work);
}

void
board_unit_begin(struct rfk_row *row, uint64_t now_ms, uint64_t deadline_ms,
    const char *method, size_t method_len, const char *path, size_t path_len)
{
	uint32_t seq = write_begin(row);

	text_put(row->method, sizeof(row->method), method, method_len);
	text_put(row->path, sizeof(row->path), path, path_len);
	set_release(row->unit_ms, now_ms);
	set_release(row->beat_ms, now_ms);
	set_release(row->deadline_ms, deadline_ms);
	set_release(row->work, RFK_WORK_BUSY);
	write_end(row, seq);
}

void
board_unit_extend(struct rfk_row *row, uint64_t deadline_ms)
{
	/* Either value is the truth of this unit: no reader need wait. */
	set_release(row->deadline_ms, deadline_ms);
}

void
board_unit_end(struct rfk_row *row, enum rfk_work next, uint64_t now_ms)
{
	uint32_t seq = write_begin(row);

	set_release(row->deadline_ms, 0);
	set_release(row->unit_ms, 0);
	set_release(row->beat_ms, now_ms);
	set_release(row->work, (uint32_t)next);
	write_end(row, seq);
}

void
board_count(_Atomic uint64_t *counter, uint64_t n)
{
	/* One writer: no locked instruction is needed. */
	set(*counter, get(*counter) + n);
}

void
board_count_us(_Atomic uint32_t *buckets, uint64_t us)
{
	int i = us == 0 ? 0 : 64 - __builtin_clzll(us);

	if (i >= RFK_BUCKETS)
		i = RFK_BUCKETS - 1;
	set(buckets[i], get(buckets[i]) + 1);
}

static void
view_unit(const struct rfk_row *row, struct board_view *view)
{
	view->work = get_acquire(row->work);
	view->generation = get_acquire(row->generation);
	view->pid = get_acquire(row->pid);
	view->born_ms = get_acquire(row->born_ms);
	view->beat_ms = get_acquire(row->beat_ms);
	view->unit_ms = get_acquire(row->unit_ms);
	view->deadline_ms = get_acquire(row->deadline_ms);
	text_get(row->method, sizeof(row->method), view->method);
	text_get(row->path, sizeof(row->path), view->path);
}

static void
view_counters(const struct rfk_row *row, struct board_view *view)
{
	size_t i;

	view->kept = get(row->kept);
	view->unsafe = get(row->unsafe);
	view->requests = get(row->requests);
	view->inherited = get(row->inherited);
	view->errors = get(row->errors);
	view->refused = get(row->refused);
	view->accepted = get(row->accepted);
	view->faults_start = get(row->faults_start);
	view->faults_now = get(row->faults_now);
	view->gc_count = get(row->gc_count);
	view->gc_in_request = get(row->gc_in_request);
	view->gc_major_in = get(row->gc_major_in);
	view->gc_hits = get(row->gc_hits);
	view->gc_waste = get(row->gc_waste);
	view->gc_in_us = get(row->gc_in_us);
	view->gc_out_us = get(row->gc_out_us);
	view->gc_saved_us = get(row->gc_saved_us);
	view->gc_nursery = get(row->gc_nursery);
	view->gc_pulls = get(row->gc_pulls);
	view->bytes_in = get(row->bytes_in);
	view->bytes_out = get(row->bytes_out);
	for (i = 0; i < RFK_BUCKETS; i++) {
		view->queue_us[i] = get(row->queue_us[i]);
		view->service_us[i] = get(row->service_us[i]);
	}
}

void
board_view(const struct rfk_row *row, struct board_view *view)
{
	int tries;

	memset(view, 0, sizeof(*view));
	view_counters(row, view);
	for (tries = 0; tries < VIEW_TRIES; tries++) {
		uint32_t seq = get_acquire(row->seq);

		view_unit(row, view);
		if ((seq & 1u) == 0 && get(row->seq) == seq)
			return;
	}
	/* The numbers are a rumour anyway; half a path would be a lie. */
	text_put(view->method, sizeof(view->method), "?", 1);
	text_put(view->path, sizeof(view->path), "?", 1);
}

uint64_t
board_quantile_us(const uint32_t *buckets, double percent)
{
	double total = 0, seen = 0;
	int i;

	for (i = 0; i < RFK_BUCKETS; i++)
		total += buckets[i];
	if (total <= 0)
		return 0;
	for (i = 0; i < RFK_BUCKETS - 1; i++) {
		seen += buckets[i];
		if (seen > 0 && seen >= total * percent / 100)
			break;
	}
	return (uint64_t)1 << i;
}
