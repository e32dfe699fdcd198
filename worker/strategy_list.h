#pragma once

#include <string>

#include "worker/storage/file_store.h"

namespace forklift {

/// What `worker --list-strategies` prints: every strategy with what it does, how durable its files are,
/// whether it sees the bytes, and whether it works over this store on this kernel (it is asked now).
std::string strategy_list(const FileStore& store);

}  // namespace forklift
