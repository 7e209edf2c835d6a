/* Which queues of an address a worker serves: pitchfork's rule, and the rest.
 */
#include "suite.h"

#include "worker/queues.h"

static unsigned int
mask(uint32_t queues, uint32_t per_worker, uint32_t slot, uint32_t workers)
{
	unsigned int bits = 0;
	uint32_t i;

	for (i = 0; i < queues; i++)
		if (queue_is_mine(i, queues, per_worker, slot, workers))
			bits |= 1u << i;
	return bits;
}

START_TEST(each_takes_some_from_its_number_on)
{
	ck_assert_uint_eq(mask(3, 2, 0, 4), 0x3);
	ck_assert_uint_eq(mask(3, 2, 1, 4), 0x6);
	ck_assert_uint_eq(mask(3, 2, 2, 4), 0x5);
	ck_assert_uint_eq(mask(3, 2, 3, 4), 0x3);
	ck_assert_uint_eq(mask(4, 4, 1, 9), 0xf);
	ck_assert_uint_eq(mask(4, 9, 1, 9), 0xf);
}
END_TEST

START_TEST(what_nobody_would_serve_is_dealt_out)
{
	ck_assert_uint_eq(mask(4, 1, 0, 1), 0xf);
	ck_assert_uint_eq(mask(4, 1, 0, 2), 0x5);
	ck_assert_uint_eq(mask(4, 1, 1, 2), 0xa);
	ck_assert_uint_eq(mask(5, 2, 0, 2), 0x13);
	ck_assert_uint_eq(mask(5, 2, 1, 2), 0xe);
}
END_TEST

START_TEST(every_queue_is_somebodys)
{
	uint32_t queues, per_worker, workers, slot;

	for (queues = 1; queues <= 12; queues++)
		for (per_worker = 1; per_worker <= queues; per_worker++)
			for (workers = 1; workers <= 14; workers++) {
				unsigned int all = 0;

				for (slot = 0; slot < workers; slot++)
					all |= mask(
					    queues, per_worker, slot, workers);
				ck_assert_uint_eq(all, (1u << queues) - 1);
			}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("queues");
	TCase *t = tcase_create("queues");

	suite_add_tcase(suite, t);
	tcase_add_test(t, each_takes_some_from_its_number_on);
	tcase_add_test(t, what_nobody_would_serve_is_dealt_out);
	tcase_add_test(t, every_queue_is_somebodys);
	return suite_run(suite);
}
