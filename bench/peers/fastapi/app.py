"""The article's thirteen endpoints, written anew for FastAPI as Debian has it: the peer that the worker is measured against.

Serves FASTAPI_ROOT: uploads get fresh names below uploads/, downloads are of the file that ?name= names there. Where the
article leaves a choice it is the cheaper one for FastAPI.
"""

import base64
import os
import tempfile
import uuid

import aiofiles
from fastapi import FastAPI, File, Request, UploadFile
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel

CHUNK_BYTES = 262144
ROOT = os.environ['FASTAPI_ROOT']
UPLOADS = os.path.join(ROOT, 'uploads')
os.makedirs(UPLOADS, exist_ok=True)

app = FastAPI(openapi_url=None)


class Base64File(BaseModel):
    file: str
    filename: str = ''


def fresh_path():
    return os.path.join(UPLOADS, uuid.uuid4().hex)


def sample_path(name):
    return os.path.join(ROOT, os.path.basename(name))


@app.post('/files/upload/stream/async_read_and_memory_write')
async def stream_memory_write(request: Request):
    with tempfile.NamedTemporaryFile() as file:
        async for chunk in request.stream():
            file.write(chunk)
        return {'file_path': file.name}


@app.post('/files/upload/stream/async_read_and_disk_write')
async def stream_disk_write(request: Request):
    path = fresh_path()
    with open(path, 'wb') as file:
        async for chunk in request.stream():
            file.write(chunk)
    return {'file_path': path}


@app.post('/files/upload/stream/async_read_and_async_write')
async def stream_async_write(request: Request):
    path = fresh_path()
    async with aiofiles.open(path, 'wb') as file:
        async for chunk in request.stream():
            await file.write(chunk)
    return {'file_path': path}


@app.post('/files/upload/single')
async def single(file: UploadFile = File(...)):
    path = fresh_path()
    async with aiofiles.open(path, 'wb') as out:
        await out.write(await file.read())
    return {'file_path': path}


@app.post('/files/upload/single/sync')
def single_sync(file: UploadFile = File(...)):
    path = fresh_path()
    with open(path, 'wb') as out:
        out.write(file.file.read())
    return {'file_path': path}


@app.post('/files/upload/single/stream')
async def single_stream(file: UploadFile = File(...)):
    path = fresh_path()
    async with aiofiles.open(path, 'wb') as out:
        while chunk := await file.read(CHUNK_BYTES):
            await out.write(chunk)
    return {'file_path': path}


@app.post('/files/upload/single/stream/async_read_sync_write')
async def single_stream_sync_write(file: UploadFile = File(...)):
    path = fresh_path()
    with open(path, 'wb') as out:
        while chunk := await file.read(CHUNK_BYTES):
            out.write(chunk)
    return {'file_path': path}


@app.post('/files/upload/single/stream/sync_read_sync_write')
async def single_stream_sync_read(file: UploadFile = File(...)):
    path = fresh_path()
    with open(path, 'wb') as out:
        while chunk := file.file.read(CHUNK_BYTES):
            out.write(chunk)
    return {'file_path': path}


@app.post('/files/upload/raw/json/base64decode')
async def json_base64(body: Base64File):
    path = fresh_path()
    with open(path, 'wb') as out:
        out.write(base64.b64decode(body.file))
    return {'file_path': path}


@app.get('/files/download/stream/sync_read')
async def download_sync_read(name: str):
    async def chunks():
        with open(sample_path(name), 'rb') as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    return StreamingResponse(chunks(), media_type='application/octet-stream')


@app.get('/files/download/stream/async_read')
async def download_async_read(name: str):
    async def chunks():
        async with aiofiles.open(sample_path(name), 'rb') as file:
            while chunk := await file.read(CHUNK_BYTES):
                yield chunk
    return StreamingResponse(chunks(), media_type='application/octet-stream')


@app.get('/files/download/file', response_class=FileResponse)
async def download_file(name: str):
    return FileResponse(sample_path(name), media_type='application/octet-stream')


@app.get('/files/download/file/sync', response_class=FileResponse)
def download_file_sync(name: str):
    return FileResponse(sample_path(name), media_type='application/octet-stream')
