/* operators_nothrow.cc - a new handler that throws must not throw through a nothrow operator. */
#include "tap.h"

#include <new>

static int handled;

static void refuse()
{
    handled++;
    throw std::bad_alloc();
}

static const size_t huge = static_cast<size_t>(1) << 62;

/* Null, and the handler was asked once. */
template <class Try> static void point(Try attempt, const char *name)
{
    int threw = 0;
    void *p = &threw;

    handled = 0;
    try {
        p = hide(attempt());
    } catch (...) {
        threw = 1;
    }
    check(p == nullptr && !threw && handled == 1, "%s is null when the handler throws", name);
}

int main()
{
    auto a = std::align_val_t(256);

    std::set_new_handler(refuse);
    point([] { return ::operator new(huge, std::nothrow); }, "nothrow new");
    point([] { return ::operator new[](huge, std::nothrow); }, "nothrow new[]");
    point([=] { return ::operator new(huge, a, std::nothrow); }, "aligned nothrow new");
    point([=] { return ::operator new[](huge, a, std::nothrow); }, "aligned nothrow new[]");
    std::set_new_handler(nullptr);
    errno = 4711;
    void *p = hide(::operator new(100, std::nothrow));
    check(p != nullptr && errno == 4711, "a nothrow new that succeeds leaves errno alone");
    ::operator delete(p, std::nothrow);
    return done();
}
