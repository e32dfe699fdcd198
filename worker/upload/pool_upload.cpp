#include "worker/upload/pool_upload.h"

#include <utility>

namespace forklift {

void PoolUpload::add(std::vector<Chunk> chunks, bool publish) {
  chunks_ = std::move(chunks);
  publishing_ = publish;
}

void PoolUpload::submit(std::unique_ptr<PoolUpload> upload, PoolUploadOwner& owner) {
  upload->owner_ = &owner;
  DiskPool& disk = upload->services_.disk;
  disk.submit(std::move(upload));
}

void PoolUpload::throw_away(std::unique_ptr<PoolUpload> upload) {
  if (!upload->part_) return;
  upload->abandon();
  DiskPool& disk = upload->services_.disk;
  disk.submit(std::move(upload));
}

void PoolUpload::abandon() {
  owner_ = nullptr;
  abandoned_ = true;
}

void PoolUpload::run() {
  if (abandoned_) {
    part_.reset();
    return;
  }
  if (const auto written = write_chunks(); !written) {
    error_ = written.error();
  } else if (publishing_ && !abandoned_) {
    auto stored = publish(*part_, size_);
    if (stored) {
      stored_ = *std::move(stored);
    } else {
      error_ = stored.error();
    }
    if (!stored_ || !stored_->ephemeral) part_.reset();
  }
}

void PoolUpload::done(std::unique_ptr<DiskJob> self) {
  chunks_.clear();
  self.release();
  std::unique_ptr<PoolUpload> upload(this);
  if (owner_ != nullptr) {
    owner_->returned(std::move(upload));
  } else {
    throw_away(std::move(upload));
  }
}

Result<void> PoolUpload::write(PartFile& part, std::span<const std::byte> bytes, std::uint64_t) {
  return part.write(bytes);
}

Result<void> PoolUpload::write_chunks() {
  if (!part_) {
    auto part = begin(services_.store);
    if (!part) return part.error();
    part_.emplace(*std::move(part));
    part_->charge(target_.claim);
    if (auto prepared = prepare(*part_); !prepared) return prepared;
  }
  return write_all(*part_, chunks_);
}

Result<void> PoolUpload::write_all(PartFile& part, std::span<const Chunk> chunks) {
  for (const Chunk& chunk : chunks) {
    if (abandoned_) return {};
    if (auto written = write(part, chunk.bytes(), size_); !written) return written;
    size_ += chunk.size();
  }
  return {};
}

Result<Stored> PoolUpload::publish(PartFile& part, std::uint64_t size) {
  if (auto completed = complete(part, size); !completed) return completed.error();
  auto stored = services_.store.publish(part, target_, size, services_.durability);
  if (stored) stored->written_by = written_by_;
  return stored;
}

PoolSink::~PoolSink() {
  if (in_flight_ != nullptr) {
    in_flight_->abandon();
  } else {
    PoolUpload::throw_away(std::move(upload_));
  }
}

void PoolSink::start_step(std::vector<Chunk> chunks, bool publish) {
  upload_->add(std::move(chunks), publish);
  in_flight_ = upload_.get();
  PoolUpload::submit(std::move(upload_), *this);
}

void PoolSink::returned(std::unique_ptr<PoolUpload> upload) {
  in_flight_ = nullptr;
  upload_ = std::move(upload);
  const PoolUpload& step = *upload_;
  step_done(step.error(), step.stored());
}

}  // namespace forklift
