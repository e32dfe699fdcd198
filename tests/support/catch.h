#pragma once

// The one place that knows which Catch2 is installed.
#ifdef FORKLIFT_CATCH3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
