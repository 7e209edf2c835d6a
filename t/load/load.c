/*
 * load.c - the load that a server must survive: see usage. One process, one
 * epoll; it exits 0 only when nothing failed.
 */
#include "body.h"
#include "conn.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CONNS_MAX = 1024 };

struct options {
	const char *target, *ids, *ready_file, *progress;
	unsigned conns, ready_after;
	bool all_close;
	double seconds;
	uint64_t seed;
	enum plan_mode mode;
};

static volatile sig_atomic_t told_to_stop;

static void
on_signal(int sig)
{
	(void)sig;
	told_to_stop = 1;
}

static void
usage(void)
{
	fputs(
	    "usage: load [options] SOCKET_PATH | HOST:PORT\n"
	    "  -c N              connections, every other one kept (64)\n"
	    "  -t SECONDS        how long (10)\n"
	    "  -n N              or how many requests (no limit)\n"
	    "  -p PATH           what to ask for (/load)\n"
	    "  --mode MODE       mix, get or post (mix)\n"
	    "  --close           no connection is kept\n"
	    "  --any             whatever body a 200 has is right\n"
	    "  --plain           no dawdling, no Expect, no thinking\n"
	    "  --think MS        after each answer (0)\n"
	    "  --seed N          the same requests again (random)\n"
	    "  --ids FILE        where the application files the ids\n"
	    "  --timeout S       without a byte (30)\n"
	    "  --allow KIND=N    failures that may be; lost = reset + short\n"
	    "  --until-refused   a refused connection ends there, and is none\n"
	    "  --ready-file F    made after the first answers\n"
	    "  --ready-after N   how many answers that are (100)\n"
	    "  --progress F      a line per second: s, answered, failed\n",
	    stderr);
	exit(2);
}

static int
resolve(struct run *run, const char *target)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&run->addr;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	char host[256];
	const char *colon = strrchr(target, ':');

	if (strchr(target, '/') != NULL) {
		if (strlen(target) >= sizeof(un->sun_path))
			return -ENAMETOOLONG;
		un->sun_family = AF_UNIX;
		strcpy(un->sun_path, target);
		run->addr_len = sizeof(*un);
		return 0;
	}
	if (colon == NULL || (size_t)(colon - target) >= sizeof(host))
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - target), target);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return -EINVAL;
	memcpy(&run->addr, found->ai_addr, found->ai_addrlen);
	run->addr_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static enum plan_mode
mode_of(const char *word)
{
	if (strcmp(word, "get") == 0)
		return PLAN_GET;
	if (strcmp(word, "post") == 0)
		return PLAN_POST;
	if (strcmp(word, "mix") != 0)
		usage();
	return PLAN_MIX;
}

/* What only has a long name. */
static void
take_option(int c, struct options *o, struct run *run)
{
	switch (c) {
	case 'm':
		o->mode = mode_of(optarg);
		break;
	case 's':
		o->seed = strtoull(optarg, NULL, 0);
		break;
	case 'i':
		o->ids = optarg;
		break;
	case 'T':
		run->timeout_us = (int64_t)(atof(optarg) * 1e6);
		break;
	case 'r':
		o->ready_file = optarg;
		break;
	case 'R':
		o->ready_after = (unsigned)atoi(optarg);
		break;
	case 'P':
		o->progress = optarg;
		break;
	case 'y':
		run->planner.any = true;
		break;
	case 'C':
		o->all_close = true;
		break;
	case 'q':
		run->planner.plain = true;
		break;
	case 'k':
		run->planner.think_ms = (unsigned)atoi(optarg);
		break;
	case 'u':
		run->until_refused = true;
		break;
	case 'a':
		if (tally_allow(&run->tally, optarg) == 0)
			break;
		usage();
		break;
	default:
		usage();
	}
}

static void
parse(int argc, char **argv, struct options *o, struct run *run)
{
	static const struct option names[] = {
		{ "mode", 1, NULL, 'm' },
		{ "seed", 1, NULL, 's' },
		{ "ids", 1, NULL, 'i' },
		{ "timeout", 1, NULL, 'T' },
		{ "allow", 1, NULL, 'a' },
		{ "until-refused", 0, NULL, 'u' },
		{ "ready-file", 1, NULL, 'r' },
		{ "ready-after", 1, NULL, 'R' },
		{ "progress", 1, NULL, 'P' },
		{ "any", 0, NULL, 'y' },
		{ "close", 0, NULL, 'C' },
		{ "plain", 0, NULL, 'q' },
		{ "think", 1, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:t:n:p:", names, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->conns = (unsigned)atoi(optarg);
			break;
		case 't':
			o->seconds = atof(optarg);
			break;
		case 'n':
			run->limit = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'p':
			run->path = optarg;
			break;
		default:
			take_option(c, o, run);
		}
	}
}

static void
touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd >= 0)
		close(fd);
}

/* Tells those who wait for the load that it runs. */
static void
tell(struct options *o, const struct tally *t, int64_t now_us)
{
	static int64_t told_s;
	int64_t s = (now_us - t->start_us) / 1000000;
	FILE *file;

	if (o->ready_file != NULL && t->answered >= o->ready_after) {
		touch(o->ready_file);
		o->ready_file = NULL;
	}
	if (o->progress == NULL || s == told_s)
		return;
	told_s = s;
	file = fopen(o->progress, "a");
	if (file == NULL)
		return;
	fprintf(
	    file, "%lld %u %u\n", (long long)s, t->answered, tally_failed(t));
	fclose(file);
}

/* Ticks everybody; returns how many are not over and the next time to wake. */
static unsigned
tick_all(struct conn *conns, unsigned n, int64_t now_us, int64_t *wake_us)
{
	unsigned living = 0, i;

	*wake_us = now_us + 1000000;
	for (i = 0; i < n; i++) {
		conn_tick(&conns[i], now_us);
		if (conns[i].state == CONN_OVER)
			continue;
		living++;
		if (conns[i].wake_us < *wake_us)
			*wake_us = conns[i].wake_us;
	}
	return living;
}

static void
drive(struct run *run, struct options *o, struct conn *conns)
{
	struct epoll_event events[64];
	int64_t now, wake_us, end_us;
	int n, i, wait_ms;

	now = run->tally.start_us = run->tally.last_us = run_now_us();
	end_us = now + (int64_t)(o->seconds * 1e6);
	while (tick_all(conns, o->conns, now, &wake_us) > 0) {
		if (wake_us > end_us && !run->stopping)
			wake_us = end_us;
		now = run_now_us();
		wait_ms =
		    wake_us <= now ? 0 : (int)((wake_us - now) / 1000) + 1;
		n = epoll_wait(run->epoll_fd, events, 64, wait_ms);
		for (i = 0; i < n; i++)
			conn_event(events[i].data.ptr, events[i].events);
		now = run_now_us();
		if (now >= end_us || told_to_stop)
			run->stopping = true;
		tell(o, &run->tally, now);
	}
}

static uint64_t
random_seed(void)
{
	return ((uint64_t)getpid() << 32 ^ (uint64_t)run_now_us()) & 0xffffffff;
}

int
main(int argc, char **argv)
{
	static struct run run = { .path = "/load", .timeout_us = 30000000 };
	static struct conn conns[CONNS_MAX];
	struct options o = { .conns = 64, .ready_after = 100, .seconds = 10 };
	struct sigaction stop = { .sa_handler = on_signal };
	unsigned i;
	int rc;

	o.seed = random_seed();
	parse(argc, argv, &o, &run);
	if (optind + 1 != argc || o.conns < 1 || o.conns > CONNS_MAX)
		usage();
	o.target = argv[optind];
	rc = resolve(&run, o.target);
	if (rc == 0)
		rc = body_init(o.seed);
	run.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (rc < 0 || run.epoll_fd < 0) {
		fprintf(stderr, "load: %s: %s\n", o.target, strerror(-rc));
		return 2;
	}
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	plan_init(&run.planner, o.seed, o.mode);
	printf("load: seed %llu connections %u\n", (unsigned long long)o.seed,
	    o.conns);
	fflush(stdout);
	for (i = 0; i < o.conns; i++)
		conn_init(&conns[i], &run, i % 2 == 0 && !o.all_close);
	drive(&run, &o, conns);
	if (o.ids != NULL) {
		rc = tally_verify(&run.tally, o.ids, run.planner.tag);
		if (rc < 0)
			tally_fail(
			    &run.tally, FAIL_MISSING, o.ids, strerror(-rc));
	}
	return tally_report(&run.tally, stdout) == 0 ? 0 : 1;
}
