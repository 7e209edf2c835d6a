/*
 * deny - runs a command under a seccomp filter, as in a container that forbids
 * a call, or on a kernel that does not know it.
 *
 *   deny CALL=ERRNO... -- COMMAND...
 *
 * CALL is a row of the table below, ERRNO its name (ENOSYS, EPERM, EINVAL).
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANY UINT32_MAX /* whatever the arguments are */
#define FILTER_MAX 64

static const struct call {
	const char *name;
	uint32_t nr;
	uint32_t argument; /* which one is looked at; ANY = none */
	uint32_t mask, value;
} calls[] = {
	{ "pidfd_open", SYS_pidfd_open, ANY, 0, 0 },
	{ "pidfd_send_signal", SYS_pidfd_send_signal, ANY, 0, 0 },
	{ "waitid_pidfd", SYS_waitid, 0, ~0u, 3 /* P_PIDFD */ },
	{ "pidfd_get_info", SYS_ioctl, 1, 0xffff, 0xff0b },
	{ "subreaper", SYS_prctl, 0, ~0u, PR_SET_CHILD_SUBREAPER },
	{ "memfd_create", SYS_memfd_create, ANY, 0, 0 },
	{ "seqpacket", SYS_socketpair, 1, 0xf, 5 /* SOCK_SEQPACKET */ },
	{ "signalfd", SYS_signalfd4, ANY, 0, 0 },
};

static const struct {
	const char *name;
	uint32_t number;
} errors[] = { { "ENOSYS", ENOSYS }, { "EPERM", EPERM }, { "EINVAL", EINVAL } };

static struct sock_filter program[FILTER_MAX];
static unsigned short length;

static void
put(uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	program[length++] = (struct sock_filter){ code, yes, no, k };
}

/* Reads the call's number again each time: arguments have replaced it. */
static void
forbid(const struct call *c, uint32_t error)
{
	put(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	put(BPF_JMP | BPF_JEQ | BPF_K, 0, c->argument == ANY ? 1 : 4, c->nr);
	if (c->argument != ANY) {
		put(BPF_LD | BPF_W | BPF_ABS, 0, 0,
		    (uint32_t)offsetof(struct seccomp_data, args) +
			8 * c->argument);
		put(BPF_ALU | BPF_AND | BPF_K, 0, 0, c->mask);
		put(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, c->value);
	}
	put(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error);
}

static int
forbid_word(const char *word)
{
	size_t len = strcspn(word, "=");
	size_t i, j;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		for (j = 0; j < sizeof(errors) / sizeof(errors[0]); j++)
			if (strlen(calls[i].name) == len &&
			    strncmp(calls[i].name, word, len) == 0 &&
			    strcmp(word + len + (word[len] == '='),
				errors[j].name) == 0 &&
			    length < FILTER_MAX - 8) {
				forbid(&calls[i], errors[j].number);
				return 0;
			}
	fprintf(stderr, "deny: %s: CALL=ERRNO is wanted\n", word);
	return -1;
}

int
main(int argc, char **argv)
{
	struct sock_fprog filter = { 0, program };
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (forbid_word(argv[i]) < 0)
			return 2;
	put(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	filter.len = length;
	if (i + 1 >= argc)
		return 2;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
		fprintf(stderr, "deny: no seccomp here: %s\n", strerror(errno));
		return 3;
	}
	execvp(argv[i + 1], &argv[i + 1]);
	fprintf(stderr, "deny: %s: %s\n", argv[i + 1], strerror(errno));
	return 2;
}
