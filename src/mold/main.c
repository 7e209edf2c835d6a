/*
 * main.c - the front that embeds Ruby: reforkd-mold.
 *
 * argv is a ruby command line already, made by the master.
 */
#include "mold/trampoline.h"
#include "ruby/vm.h"

int
main(int argc, char **argv)
{
	struct trampoline t;
	int rc = trampoline_init(&t);

	if (rc != 0)
		return rc;
	rc = vm_start(argc, argv, &t);
	if (rc != 0) {
		trampoline_stillborn(&t);
		return rc;
	}
	return trampoline_run(&t);
}
