/* Limits and events of both versions, read from folders of our own; smaps. */
#include "master/cgroup.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/procmem.h"
#include "suite.h"

static char base[64], proc[96], sys[96];

static void
put(const char *dir, const char *name, const char *text)
{
	char path[512], *slash;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void
setup(void)
{
	snprintf(base, sizeof(base), "/tmp/rfk-cgroup.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(proc, sizeof(proc), "%s/proc", base);
	snprintf(sys, sizeof(sys), "%s/sys", base);
	put(proc, "meminfo", "MemTotal:        8000000 kB\nMemFree: 1 kB\n");
}

static void
teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", base);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(the_lowest_limit_of_all_parents_counts)
{
	struct cgroup c;
	const char *what;

	put(proc, "self/cgroup", "0::/a.slice/b.service\n");
	put(sys, "a.slice/b.service/memory.stat", "anon 0\n");
	put(sys, "a.slice/b.service/memory.max", "max\n");
	put(sys, "a.slice/b.service/memory.high", "4294967296\n");
	put(sys, "a.slice/memory.max", "2147483648\n");
	put(sys, "memory.max", "1\n");
	cgroup_find(&c, proc, sys);
	ck_assert_int_eq(c.version, 2);
	put(sys, "memory.max", "max\n");
	ck_assert_uint_eq(cgroup_limit_kb(&c), 2097152);
	ck_assert_uint_eq(cgroup_available_kb(&c, proc, &what), 2097152);
	ck_assert_str_eq(what, "the cgroup's limit");
	put(sys, "a.slice/memory.max", "max\n");
	ck_assert_uint_eq(cgroup_limit_kb(&c), 4194304);
	put(sys, "a.slice/b.service/memory.high", "max\n");
	ck_assert_uint_eq(cgroup_available_kb(&c, proc, &what), 8000000);
	ck_assert_str_eq(what, "the host's memory");
}
END_TEST

START_TEST(version_1_says_no_limit_with_a_huge_number)
{
	struct cgroup c;

	put(proc, "self/cgroup", "4:cpu,memory:/x/y\n0::/\n");
	put(sys, "memory/x/y/memory.limit_in_bytes", "9223372036854771712\n");
	put(sys, "memory/x/memory.limit_in_bytes", "9223372036854771712\n");
	cgroup_find(&c, proc, sys);
	ck_assert_int_eq(c.version, 1);
	ck_assert_uint_eq(cgroup_limit_kb(&c), 0);
	put(sys, "memory/x/memory.limit_in_bytes", "1073741824\n");
	ck_assert_uint_eq(cgroup_limit_kb(&c), 1048576);
}
END_TEST

START_TEST(in_a_container_the_mounted_root_is_the_group)
{
	struct cgroup c;

	put(proc, "self/cgroup", "0::/host/only/path\n");
	put(sys, "memory.stat", "anon 0\n");
	put(sys, "memory.max", "1048576\n");
	cgroup_find(&c, proc, sys);
	ck_assert_int_eq(c.version, 2);
	ck_assert_uint_eq(cgroup_limit_kb(&c), 1024);
}
END_TEST

START_TEST(without_any_the_host_is_what_there_is)
{
	struct cgroup c;
	const char *what;

	put(proc, "self/cgroup", "3:cpu:/\n");
	cgroup_find(&c, proc, sys);
	ck_assert_int_eq(c.version, 0);
	ck_assert_uint_eq(cgroup_available_kb(&c, proc, &what), 8000000);
	put(proc, "meminfo", "");
	ck_assert_uint_eq(cgroup_available_kb(&c, proc, &what), 0);
}
END_TEST

START_TEST(events_and_pressure_are_counted)
{
	struct cgroup_events e;
	struct cgroup c;

	put(proc, "self/cgroup", "0::/b\n");
	put(sys, "b/memory.stat", "");
	cgroup_find(&c, proc, sys);
	ck_assert_int_lt(cgroup_events_read(&c, proc, &e), 0);
	put(sys, "b/memory.events",
	    "low 1\nhigh 12\nmax 3\noom 1\noom_kill 2\noom_group_kill 0\n");
	put(proc, "pressure/memory", "some avg10=7.25 avg60=0.00\nfull\n");
	ck_assert_int_eq(cgroup_events_read(&c, proc, &e), 0);
	ck_assert_uint_eq(e.high, 12);
	ck_assert_uint_eq(e.max, 3);
	ck_assert_uint_eq(e.oom_kill, 2);
	ck_assert(e.some_avg10 > 7.2 && e.some_avg10 < 7.3);
	put(sys, "b/memory.pressure", "some avg10=50.00 avg60=0.00\n");
	ck_assert_int_eq(cgroup_events_read(&c, proc, &e), 0);
	ck_assert(e.some_avg10 > 49.);
}
END_TEST

START_TEST(odd_lines_name_no_group)
{
	static const char *const odd[] = { "", "\n", ":",
		"0:", "0::", "::", "a:b:c\n\n", "1:memory_x:/p\n" };
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		ck_assert_int_eq(
		    cgroup_parse(odd[i], true, path, sizeof(path)), 0);
	ck_assert_int_eq(cgroup_parse("0::/too/long\n", false, path, 5), 0);
	ck_assert_int_eq(
	    cgroup_parse("1:a:/x\n0::/y", false, path, sizeof(path)), 2);
	ck_assert_str_eq(path, "/y");
}
END_TEST

START_TEST(smaps_and_stat_are_read)
{
	struct procmem m;

	ck_assert_int_eq(procmem_parse("55d-7ff ---p 00000000 [rollup]\n"
				       "Rss:     300 kB\nPss:     200 kB\n"
				       "Pss_Anon: 9 kB\nPrivate_Clean: 10 kB\n"
				       "Private_Dirty: 90 kB\n",
			     &m),
	    0);
	ck_assert_uint_eq(m.rss_kb, 300);
	ck_assert_uint_eq(m.pss_kb, 200);
	ck_assert_uint_eq(m.uss_kb, 100);
	ck_assert_int_lt(procmem_parse("", &m), 0);
	ck_assert_int_eq(procmem_read(getpid(), &m), 0);
	ck_assert_uint_gt(m.rss_kb, 500);
	ck_assert_int_gt(procmem_rss_kb(getpid()), 500);
	ck_assert_int_ge(procmem_cpu_ms(getpid()), 0);
	ck_assert_int_lt(procmem_rss_kb(0x7ffffffe), 0);
	ck_assert_int_lt(procmem_cpu_ms(0x7ffffffe), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cgroup");
	TCase *tc = tcase_create("cgroup");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_lowest_limit_of_all_parents_counts);
	tcase_add_test(tc, version_1_says_no_limit_with_a_huge_number);
	tcase_add_test(tc, in_a_container_the_mounted_root_is_the_group);
	tcase_add_test(tc, without_any_the_host_is_what_there_is);
	tcase_add_test(tc, events_and_pressure_are_counted);
	tcase_add_test(tc, odd_lines_name_no_group);
	tcase_add_test(tc, smaps_and_stat_are_read);
	return suite_run(suite);
}
