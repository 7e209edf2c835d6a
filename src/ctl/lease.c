/*
 * lease.c - the command line of `reforkctl lease`, and its exit status.
 */
#include "ctl/lease.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ctl/relay.h"

static int
complain(int status, const char *text)
{
	(void)fprintf(stderr, "reforkctl lease: %s\n", text);
	return status;
}

static int
usage(void)
{
	(void)fprintf(stderr,
	    "usage: reforkctl [-c FILE | -s SOCKET | -p PID] lease [POOL]\n"
	    "           [--key K] [--field NAME=VALUE] [--start FILE] "
	    "[--relay]\n"
	    "           [-- ARGUMENT ...]\n");
	return LEASE_EXIT_USAGE;
}

static bool
field_add(struct lease_order *order, const char *field)
{
	if (order->nfields == LEASE_FIELDS_MAX)
		return false;
	order->fields[order->nfields++] = field;
	return true;
}

static int
order_parse(struct lease_order *order, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "field", required_argument, NULL, 'f' },
		{ "start", required_argument, NULL, 'S' },
		{ "relay", no_argument, NULL, 'R' },
		{ NULL, 0, NULL, 0 },
	};
	static char key[1024];
	int option, n;

	optind = 0; /* getopt begins anew */
	while (
	    (option = getopt_long(argc, argv, "+k:f:S:R", longs, NULL)) != -1) {
		bool fine = true;

		if (option == 'k') {
			n = snprintf(key, sizeof(key), "key=%s", optarg);
			fine = n < (int)sizeof(key) && field_add(order, key);
		} else if (option == 'f') {
			fine = strchr(optarg, '=') != NULL &&
			       field_add(order, optarg);
		} else if (option == 'S') {
			order->start = optarg;
		} else if (option == 'R') {
			order->relay = true;
		} else {
			fine = false;
		}
		if (!fine)
			return usage();
		/* POOL may stand before, between and after the options. */
		if (optind < argc && argv[optind][0] != '-' &&
		    order->pool == NULL)
			order->pool = argv[optind++];
	}
	order->arguments = argv + optind;
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
		return usage();
	return 0;
}

int
lease_end_by(int signo)
{
	struct rlimit no_core = { 0, 0 };
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t all;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	sigemptyset(&sa.sa_mask);
	(void)sigaction(signo, &sa, NULL);
	sigemptyset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)raise(signo);
	return 128 + signo;
}

int
lease_main(const struct command *command, int argc, char **argv)
{
	static const int own[3] = { STDIN_FILENO, STDOUT_FILENO,
		STDERR_FILENO };
	static char self[] = "reforkctl lease";
	struct lease_link link = { .fd = -1, .pidfd = -1 };
	struct lease_order order = { 0 };
	struct fail why = FAIL_INIT;
	char path[SOCKPATH_MAX];
	int signo = 0, rc;

	/* `lease POOL --key K`: getopt has not seen an option yet. */
	if (argc > 1 && argv[1][0] != '-') {
		order.pool = argv[1];
		argv++;
		argc--;
	}
	argv[0] = self; /* what getopt says that it is */
	rc = order_parse(&order, argc, argv);
	if (rc != 0)
		return rc;
	rc = launch_find(command, &order, path, sizeof(path), &why);
	if (rc == 0 && order.relay)
		return relay_main(command, &order, path);
	if (rc == 0)
		rc = direct_connect(&link, path, &why);
	if (rc == 0)
		rc = direct_lease(&link, &order, own, &why);
	if (rc == 0)
		rc = direct_wait(&link, &signo);
	else
		rc = complain(LEASE_EXIT_UNAVAILABLE, why.text);
	direct_close(&link);
	return signo != 0 ? lease_end_by(signo) : rc;
}
