#pragma once

#include <cstdint>

#include "common/config.h"
#include "common/result.h"
#include "worker/loop/chunk.h"
#include "worker/loop/flow.h"
#include "worker/storage/file_store.h"
#include "worker/storage/space.h"

namespace forklift {

class DiskPool;
class FormUploads;
class JsonUploads;
class Keeper;
class Ring;
class Socket;
class SplicePipe;
struct FormContent;

/// What every sink of one worker works with. Owned by the worker's main; outlives every sink.
struct UploadServices {
  const FileStore& store;
  DiskPool& disk;
  SlabPool& slabs;
  Durability durability;
  Ring* ring = nullptr;               // nullptr: no io_uring here
  SplicePipe* splice_pipe = nullptr;  // nullptr: the splice strategy copies
  SlabPool* spool = nullptr;      // of bodies that are gathered before they are written; nullptr: none are
  JsonUploads* json = nullptr;    // of the JSON sinks (worker/upload/json_base64.h); nullptr: there are none
  FormUploads* forms = nullptr;   // of the form sinks (worker/upload/form_uploads.h); nullptr: there are none
  Keeper* keeper = nullptr;       // of the files of the article's endpoints; nullptr: all stay
  SpaceReserve* space = nullptr;  // of the disk; nullptr: uploads go on until it is full
};

/// Takes one request body, in order, one step at a time. A connection owns its sink; destroying a sink that
/// has not finished throws the upload away without trace; a publication that is already under way on another
/// thread may still complete, whole. Loop thread only.
///
/// The caller calls write() or receive() until the body is complete, then finish() until kDone; after an
/// error it calls nothing more. After kWaitDisk it waits for Resumer::resume() and then asks by an empty
/// write() whether it may go on; a sink answers kWaitDisk only when resume() is sure to come.
class BodySink {
 public:
  virtual ~BodySink() { services_.slabs.forget(resumer_); }

  /// Takes the whole chunk, now or later. kMore or kWaitDisk. An empty chunk asks whether the sink may go on.
  virtual Result<Flow> write(Chunk chunk) = 0;

  /// Publishes what was written; called again after each resume() until kDone. May follow a write() that
  /// said kWaitDisk.
  virtual Result<Flow> finish() = 0;

  /// Moves at most `limit` (> 0) bytes from the socket into the sink. By default reads a chunk and writes
  /// it. `bytes` are those taken from the socket. The peer's end of stream is the error kPeerGone.
  virtual Result<Step> receive(Socket& socket, std::uint64_t limit);

  /// What finish() published. Only after kDone. Of a form: its first file.
  virtual const Stored& stored() const = 0;

  /// After kWaitDisk: the memory other than a slab that the sink waits for, in a few words; nullptr: none.
  virtual const char* waits_for_memory() const { return nullptr; }

  /// Of a sink that takes a form apart: what came. Only after kDone; nullptr for the others.
  virtual const FormContent* form() const { return nullptr; }

 protected:
  BodySink(const UploadServices& services, Resumer& resumer) : services_(services), resumer_(resumer) {}

  const UploadServices& services_;
  Resumer& resumer_;
};

}  // namespace forklift
