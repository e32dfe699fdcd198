#pragma once

#include <span>

namespace forklift {

/// Undoes what a careless parent left behind, first of all in main: blocked signals would never be heard; a
/// closed standard descriptor would be given to the next socket, and messages written into it; a write over
/// RLIMIT_FSIZE, or to a pipe nobody reads, shall be an error (EFBIG, EPIPE) and not a death. The signals in
/// `held` wait for hear_signals(), when there are handlers for them.
void start_process(std::span<const int> held = {});

/// Blocks no signal any more; those that wait come now.
void hear_signals();

}  // namespace forklift
