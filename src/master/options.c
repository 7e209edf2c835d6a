/*
 * The command line. Options are unicorn's; -t and --personality are ours.
 */
#include "master/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reforkd/version.h>

enum { OPTION_PERSONALITY = 256, OPTION_PATH, OPTION_CHECK, OPTION_TAKE };

static const struct option long_options[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "port", required_argument, NULL, 'p' },
	{ "host", required_argument, NULL, 'o' },
	{ "env", required_argument, NULL, 'E' },
	{ "daemonize", no_argument, NULL, 'D' },
	{ "include", required_argument, NULL, 'I' },
	{ "require", required_argument, NULL, 'r' },
	{ "eval", required_argument, NULL, 'e' },
	{ "debug", no_argument, NULL, 'd' },
	{ "warn", no_argument, NULL, 'w' },
	{ "no-default-middleware", no_argument, NULL, 'N' },
	{ "config-file", required_argument, NULL, 'c' },
	{ "test", no_argument, NULL, 't' },
	{ "pid", required_argument, NULL, 'P' },
	{ "server", required_argument, NULL, 's' },
	{ "path", required_argument, NULL, OPTION_PATH },
	{ "personality", required_argument, NULL, OPTION_PERSONALITY },
	/* A master says these two, in front: see restart.h. */
	{ "check-state", required_argument, NULL, OPTION_CHECK },
	{ "take-state", required_argument, NULL, OPTION_TAKE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

static void
usage(FILE *to, const char *program)
{
	fprintf(to,
	    "Usage: %s [ruby options] [options] [config.ru]\n"
	    "Ruby options:\n"
	    "  -e, --eval LINE          evaluate a LINE of code\n"
	    "  -d, --debug              set $DEBUG, log at debug level\n"
	    "  -w, --warn               turn warnings on\n"
	    "  -I, --include PATH       specify $LOAD_PATH\n"
	    "  -r, --require LIBRARY    require LIBRARY before the file\n"
	    "Options:\n"
	    "  -o, --host HOST          listen on HOST (default: 0.0.0.0)\n"
	    "  -p, --port PORT          use PORT (default: 8080)\n"
	    "  -l, --listen ADDR        listen on HOST:PORT or PATH, "
	    "repeatable\n"
	    "  -E, --env RACK_ENV       use RACK_ENV (default: development)\n"
	    "  -N                       no default middleware\n"
	    "  -D, --daemonize          run in the background\n"
	    "  -c, --config-file FILE   configuration (config/reforkd.rb)\n"
	    "  -t, --test               check the configuration, print it\n"
	    "      --personality NAME   native, unicorn or pitchfork\n"
	    "  -h, --help               this text\n"
	    "  -v, --version            the version\n",
	    program);
}

static int
put_ruby(struct options *o, const char *flag, const char *value)
{
	if (o->rubies + 2 > sizeof(o->ruby) / sizeof(o->ruby[0]))
		return -E2BIG;
	o->ruby[o->rubies++] = flag;
	if (value != NULL)
		o->ruby[o->rubies++] = value;
	return 0;
}

static int
put_listen(struct options *o, const char *address)
{
	if (o->listens == OPTIONS_LIST_MAX)
		return -E2BIG;
	o->listen[o->listens++] = address;
	return 0;
}

/* unicorn says so, and unicorn_rails means another thing by it. */
static int
take_pid(struct options *o)
{
	if (strcmp(o->program, "unicorn_rails") == 0) {
		fprintf(stderr,
		    "Use of -P is ambiguous and discouraged\n"
		    "Use --path or RAILS_RELATIVE_URL_ROOT instead\n");
		o->path = optarg;
		return 0;
	}
	if (strcmp(o->program, "reforkd") != 0) /* the gem's handler does */
		fprintf(stderr,
		    "Use of --pid/-P is strongly discouraged\n"
		    "Use the 'pid' directive in the Unicorn config file "
		    "instead\n");
	o->pid = optarg;
	return 0;
}

/* Scripts compare the version of the program whose name it has. */
static void
say_version(const char *program)
{
	if (strncmp(program, "unicorn", 7) == 0)
		printf("%s v6.1.0 (reforkd v%s)\n", program, RFK_VERSION);
	else if (strcmp(program, "pitchfork") == 0)
		printf("%s v0.18.2 (based on Unicorn v6.1.0, reforkd v%s)\n",
		    program, RFK_VERSION);
	else
		printf("%s v%s\n", program, RFK_VERSION);
}

/* The number of a descriptor; the arguments are those behind it. */
static int
take_state(struct options *o)
{
	char *end;
	long fd = strtol(optarg, &end, 10);

	if (optind != 3 || end == optarg || *end != '\0' || fd < 3 ||
	    fd > 0xfffff)
		return -EINVAL;
	o->state_fd = (int)fd;
	o->args += 2;
	return 0;
}

/* One option that takes part in the run: 0, -errno. */
static int
take(struct options *o, int c)
{
	switch (c) {
	case 'l':
		return put_listen(o, optarg);
	case 'p':
		o->port = optarg;
		return 0;
	case 'o':
		o->host = optarg;
		return 0;
	case 'E':
		o->env = optarg;
		return 0;
	case 'c':
		o->config = optarg;
		return 0;
	case 'P':
		return take_pid(o);
	case OPTION_PATH:
		o->path = optarg;
		return 0;
	case OPTION_PERSONALITY:
		o->personality = optarg;
		return 0;
	case OPTION_CHECK:
		o->check = true;
		return take_state(o);
	case OPTION_TAKE:
		return take_state(o);
	case 'D':
		o->daemonize = true;
		return 0;
	case 'N':
		o->no_default_middleware = true;
		return 0;
	case 't':
		o->check = true;
		return 0;
	case 'd':
		o->debug = true;
		return put_ruby(o, "-d", NULL);
	case 'w':
		return put_ruby(o, "-w", NULL);
	case 'I':
		return put_ruby(o, "-I", optarg);
	case 'r':
		return put_ruby(o, "-r", optarg);
	case 'e':
		return put_ruby(o, "-e", optarg);
	default:
		return -EINVAL;
	}
}

static enum options_next
rest(struct options *o, int argc, char **argv)
{
	if (optind < argc)
		o->rackup = argv[optind++];
	if (optind < argc) {
		fprintf(stderr,
		    "%s: one config.ru at most, and %s is another\n",
		    o->program, argv[optind]);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}

/* The shell's name for it, which an upgrade follows to the new release. */
static const char *
start_cwd(void)
{
	const char *pwd = getenv("PWD");
	struct stat by_name, here;
	char *path;

	if (pwd != NULL && pwd[0] == '/' && stat(pwd, &by_name) == 0 &&
	    stat(".", &here) == 0 && by_name.st_ino == here.st_ino &&
	    by_name.st_dev == here.st_dev) {
		path = strdup(pwd);
		if (path != NULL)
			return path;
	}
	path = getcwd(NULL, 0);
	return path != NULL ? path : "/";
}

/* "bin/unicorn" below cwd, "unicorn" from PATH; else as it was typed. */
static const char *
start_program(const char *arg0, const char *cwd)
{
	const char *dir = getenv("PATH"), *end;
	char *path = NULL;

	if (arg0[0] == '/')
		return arg0;
	if (strchr(arg0, '/') != NULL)
		return asprintf(&path, "%s/%s", cwd, arg0) < 0 ? arg0 : path;
	for (; dir != NULL; dir = *end == ':' ? end + 1 : NULL) {
		end = dir + strcspn(dir, ":");
		if (asprintf(&path, "%.*s/%s", (int)(end - dir), dir, arg0) < 0)
			return arg0;
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return arg0;
}

enum options_next
options_parse(struct options *o, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	int c;

	memset(o, 0, sizeof(*o));
	o->ready_fd = -1;
	o->state_fd = -1;
	o->program = slash != NULL ? slash + 1 : argv[0];
	o->args = argv + 1;
	o->cwd = start_cwd();
	o->arg0 = start_program(argv[0], o->cwd);
	while ((c = getopt_long(argc, argv, "l:p:o:E:DI:r:e:dwNc:tP:s:hv",
		    long_options, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout, o->program);
			return OPTIONS_DONE;
		}
		if (c == 'v') {
			say_version(o->program);
			return OPTIONS_DONE;
		}
		if (c == 's') { /* rackup's: unicorn takes and ignores it */
			fprintf(stderr,
			    "-s/--server only exists for compatibility with "
			    "rackup\n");
			continue;
		}
		if (take(o, c) < 0) {
			fprintf(stderr, "Try '%s --help'.\n", o->program);
			return OPTIONS_WRONG;
		}
	}
	return rest(o, argc, argv);
}

const char *
options_text(const struct options *o, char *out, size_t cap)
{
	size_t i, len = 0;

	out[0] = '\0';
	for (i = 0; o->args[i] != NULL && len < cap; i++)
		len += (size_t)snprintf(
		    out + len, cap - len, "%s%s", i > 0 ? " " : "", o->args[i]);
	return out;
}

static int
put(struct buf *out, const char *name, const char *value)
{
	int rc;

	if (value == NULL)
		return 0;
	rc = buf_printf(out, "%s=%s", name, value);
	return rc < 0 ? rc : buf_put(out, "", 1);
}

int
options_encode(const struct options *o, struct buf *out)
{
	int rc = 0;
	size_t i;

	rc |= put(out, "program", o->program);
	rc |= put(out, "arg0", o->arg0);
	rc |= put(out, "start_cwd", o->cwd);
	for (i = 0; o->args[i] != NULL; i++)
		rc |= put(out, "arg", o->args[i]);
	rc |= put(out, "config", o->config);
	rc |= put(out, "default_config", o->config == NULL ? "1" : NULL);
	rc |= put(out, "rackup", o->rackup);
	rc |= put(out, "host", o->host);
	rc |= put(out, "port", o->port);
	rc |= put(out, "env", o->env);
	rc |= put(out, "pid", o->pid);
	rc |= put(out, "path", o->path);
	rc |= put(out, "personality", o->personality);
	rc |= put(out, "daemonize", o->daemonize ? "1" : NULL);
	rc |= put(out, "no_default_middleware",
	    o->no_default_middleware ? "1" : NULL);
	rc |= put(out, "check", o->check ? "1" : NULL);
	rc |= put(out, "debug", o->debug ? "1" : NULL);
	for (i = 0; i < o->listens; i++)
		rc |= put(out, "listen", o->listen[i]);
	return rc != 0 ? -ENOMEM : 0;
}
