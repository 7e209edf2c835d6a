/*
 * fault.c - places where a test may make a process die or fail.
 *
 * What has fired is counted in a memfd that every process of one master maps:
 * a fault of count 1 fires in one of them only. The memfd's number travels over
 * exec in REFORKD_FAULT_FD.
 */
#include "base/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define FAULTS_MAX 32
#define NAME_MAX_BYTES 48
#define ALWAYS UINT32_MAX

enum action {
	ACTION_KILL,
	ACTION_STOP,
	ACTION_EXIT,
	ACTION_FAIL,
	ACTION_WAIT,
};

static const char *const action_names[] = { "kill", "stop", "exit", "fail",
	"wait" };

struct fault {
	char name[NAME_MAX_BYTES];
	enum action action;
	uint32_t count;
	uint32_t wait_ms;   /* of ACTION_WAIT: at most */
	int64_t generation; /* -1 = any */
};

struct page {
	_Atomic uint32_t fired[FAULTS_MAX];
};

static struct fault faults[FAULTS_MAX];
static int known;
static struct page *page; /* NULL = the variable is not set */
static uint32_t generation;

/* A decimal number up to one of `ends`: where it ends, or NULL. */
static const char *
number_parse(const char *text, const char *ends, uint32_t *out)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return NULL;
	n = strtoul(text, &end, 10);
	if (n >= UINT32_MAX || strchr(ends, *end) == NULL)
		return NULL;
	*out = (uint32_t)n;
	return end;
}

static const char *
action_parse(const char *text, enum action *out)
{
	size_t len = strcspn(text, "=*@");
	size_t i;

	for (i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++)
		if (strlen(action_names[i]) == len &&
		    memcmp(action_names[i], text, len) == 0) {
			*out = (enum action)i;
			return text + len;
		}
	return NULL;
}

/* What follows the action: [=MS][*COUNT][@GENERATION] */
static bool
limits_parse(const char *p, struct fault *out)
{
	uint32_t number;

	/* A wait makes a window wider, each time that it is passed. */
	out->count = out->action == ACTION_WAIT ? ALWAYS : 1;
	if ((*p == '=') != (out->action == ACTION_WAIT))
		return false;
	if (*p == '=') {
		p = number_parse(p + 1, "*@", &out->wait_ms);
		if (p == NULL)
			return false;
	}
	if (*p == '*') {
		p = number_parse(p + 1, "@", &out->count);
		if (p == NULL)
			return false;
	}
	if (*p == '@') {
		p = number_parse(p + 1, "", &number);
		if (p == NULL)
			return false;
		out->generation = number;
	}
	return *p == '\0';
}

/* NAME[:ACTION[=MS][*COUNT][@GENERATION]] */
static bool
fault_parse(const char *text, struct fault *out)
{
	size_t len = strcspn(text, ":");
	const char *p = text + len;

	memset(out, 0, sizeof(*out));
	out->generation = -1;
	if (len == 0 || len >= sizeof(out->name))
		return false;
	memcpy(out->name, text, len);
	/* A name alone is a switch, not an event: it does not wear out. */
	out->action = ACTION_FAIL;
	out->count = ALWAYS;
	if (*p == '\0')
		return true;
	p = action_parse(p + 1, &out->action);
	return p != NULL && limits_parse(p, out);
}

static void
faults_parse(const char *text)
{
	char piece[128];

	known = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		bool is_good = len < sizeof(piece) && known < FAULTS_MAX;

		if (is_good) {
			memcpy(piece, text, len);
			piece[len] = '\0';
			is_good = fault_parse(piece, &faults[known]);
		}
		if (is_good)
			known++;
		else
			log_error(
			    "REFORKD_FAULT: \"%.*s\" is no fault, ignored",
			    (int)len, text);
		text += len;
		if (*text == ',')
			text++;
	}
}

static struct page *
page_map(int fd)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0 || st.st_size != (off_t)sizeof(struct page))
		return NULL;
	p = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	return p != MAP_FAILED ? p : NULL;
}

static struct page *
page_inherit(void)
{
	const char *text = getenv("REFORKD_FAULT_FD");
	uint32_t fd;

	if (text == NULL || number_parse(text, "", &fd) == NULL ||
	    fd > INT32_MAX)
		return NULL;
	return page_map((int)fd);
}

static struct page *
page_make(void)
{
	/* Without MFD_CLOEXEC: the mold that is exec'd counts along. */
	int fd = memfd_create("reforkd-fault", 0);
	struct page *made = NULL;
	char number[16];

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)sizeof(struct page)) == 0)
		made = page_map(fd);
	(void)snprintf(number, sizeof(number), "%d", fd);
	if (made == NULL || setenv("REFORKD_FAULT_FD", number, 1) < 0)
		fd_close(&fd);
	return made;
}

void
fault_init(void)
{
	const char *text = getenv("REFORKD_FAULT");

	if (text == NULL || *text == '\0')
		return;
	faults_parse(text);
	page = page_inherit();
	if (page == NULL)
		page = page_make();
	if (page == NULL)
		log_error("REFORKD_FAULT: no shared page, no faults");
}

void
fault_generation_set(uint32_t number)
{
	generation = number;
}

/* Takes one of the count, unless they are used up. */
static bool
fault_takes(int i)
{
	uint32_t fired = atomic_load(&page->fired[i]);

	if (faults[i].count == ALWAYS)
		return true;
	do {
		if (fired >= faults[i].count)
			return false;
	} while (
	    !atomic_compare_exchange_weak(&page->fired[i], &fired, fired + 1));
	return true;
}

static bool
is_armed(void)
{
	const char *file = getenv("REFORKD_FAULT_FILE");

	return file == NULL || access(file, F_OK) == 0;
}

/* A random time, so that whoever strikes meanwhile meets each moment of it. */
static void
wait_a_while(const struct fault *f)
{
	uint32_t dice = 0;
	struct timespec left;

	if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) < 0)
		dice = f->wait_ms;
	dice %= f->wait_ms + 1;
	left.tv_sec = dice / 1000;
	left.tv_nsec = (long)(dice % 1000) * 1000000;
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static void
act(const struct fault *f)
{
	if (f->action == ACTION_WAIT) {
		wait_a_while(f);
		return;
	}
	/* A test proves by this line that its moment was hit. */
	log_warn("fault: %s at %s", action_names[f->action], f->name);
	if (f->action == ACTION_EXIT)
		_exit(1);
	(void)kill(getpid(), f->action == ACTION_STOP ? SIGSTOP : SIGKILL);
}

static bool
fire(const char *place, bool may_fail)
{
	int i;

	for (i = 0; i < known; i++) {
		const struct fault *f = &faults[i];

		if (strcmp(f->name, place) != 0 ||
		    (f->action == ACTION_FAIL && !may_fail) ||
		    (f->generation >= 0 && f->generation != generation) ||
		    !is_armed() || !fault_takes(i))
			continue;
		if (f->action == ACTION_FAIL) {
			if (f->count != ALWAYS)
				log_warn("fault: fail at %s", place);
			return true;
		}
		act(f);
	}
	return false;
}

void
fault_at(const char *place)
{
	if (page != NULL)
		(void)fire(place, false);
}

bool
fault_fails(const char *place)
{
	return page != NULL && fire(place, true);
}
