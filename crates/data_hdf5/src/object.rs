use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use hdf5::{Dataset, LinkType, LocationType};

use crate::element::{Element, Number};
use crate::error::{ErrorContext, Hdf5Error};
use crate::heap::Heap;
use crate::open_file::OpenFile;
use crate::rows::Layout;
use crate::storage::Storage;
use crate::{chunks, ffi};

/// Maximum length of a string in bytes.
pub const MAX_TEXT: usize = 256;
/// Maximum number of chunks that are located in the file: the time of libhdf5 for each grows with their
/// number.
const MOST_CHUNKS: usize = 4096;

/// A dataset that is safe to read: its kind, type and storage have been checked.
pub struct Object<'a> {
    pub source: &'a OpenFile<'a>,
    pub context: ErrorContext<'a>,
    pub dataset: Dataset,
    pub element: Element,
    pub shape: Vec<usize>,
    /// Declared size of all elements in bytes.
    pub size: usize,
    pub storage: Storage,
}

/// Elements of a vector.
pub enum Values {
    /// Integers of any type, and whole floats.
    Numbers(Vec<i128>),
    Strings(Vec<String>),
}

impl<'a> Object<'a> {
    /// Opens and checks the dataset at the path `name`. No data are read.
    pub fn open(source: &'a OpenFile<'a>, name: &str) -> Result<Self, Hdf5Error> {
        let context = ErrorContext::new(source.path, name);
        let damaged = |error: hdf5::Error| context.damaged(error);
        let unusable = match source.link(name)? {
            None => return Err(source.missing(&format!("`/{name}`"))),
            Some(LinkType::Soft) => Some(("a soft link", "a data set of this file")),
            Some(LinkType::External) => Some(("a link to another file", "a data set of this file")),
            Some(LinkType::Hard) => match source.file.loc_type_by_name(name).map_err(damaged)? {
                LocationType::Dataset => None,
                LocationType::Group => Some(("a group", "a data set")),
                _ => Some(("a named type without data", "a data set")),
            },
        };
        if let Some((found, expected)) = unusable {
            let remedy = "store the data in the file itself, for example with `h5repack` or h5py";
            return Err(context.structure(found, expected, remedy));
        }
        let dataset = source.file.dataset(name).map_err(damaged)?;
        let shape = dataset.space().map_err(damaged)?.shape();
        let element = ffi::element(&dataset.dtype().map_err(damaged)?);
        let (size, storage) = Storage::check(source, &context, &dataset, element, &shape)?;
        Ok(Self { source, context, dataset, element, shape, size, storage })
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of rows of a chunk if every row is contiguous: the dataset is, or its chunks consist of
    /// whole rows.
    fn rows_of_chunk(&self) -> Option<usize> {
        match (&self.storage, &self.shape[..]) {
            (Storage::Contiguous(_), [count, ..]) => Some(*count),
            // The chunk offsets of libhdf5 do not include a user block.
            (Storage::Chunked { chunk, filters }, [count, row @ ..])
                if filters.is_empty() && self.source.file.userblock() == 0 =>
            {
                let (&rows, rest) = chunk.split_first()?;
                (rest == row && count.div_ceil(rows.max(1)) <= MOST_CHUNKS).then_some(rows)
            }
            _ => None,
        }
    }

    /// Returns whether rows are not contiguous, so that all have to be read at once.
    pub fn is_packed(&self) -> bool {
        self.rows_of_chunk().is_none()
    }

    /// Returns the layout of the rows; packed ones are read.
    pub fn layout(&self) -> Result<Layout, Hdf5Error> {
        let Some(rows) = self.rows_of_chunk() else { return self.bytes().map(Layout::Packed) };
        if let Storage::Contiguous(offset) = self.storage {
            return Ok(Layout::InFile { rows, offsets: vec![offset] });
        }
        let (count, rest) = self.shape.split_first().map_or((0, 0), |(&n, rest)| (n, rest.len()));
        let offset = |start: usize| {
            let origin = [&[start as u64][..], &vec![0; rest]].concat();
            let offset = ffi::chunk_offset(&self.dataset, &origin);
            let offset = offset.map_err(|error| self.context.damaged(error))?;
            offset.ok_or_else(|| self.context.damaged("a chunk of it was not allocated"))
        };
        let offsets = (0..count).step_by(rows.max(1)).map(offset).collect::<Result<_, _>>()?;
        Ok(Layout::InFile { rows, offsets })
    }

    /// Reads all elements, unfiltered and in row-major order.
    pub fn bytes(&self) -> Result<Vec<u8>, Hdf5Error> {
        let bytes = match &self.storage {
            Storage::Compact => {
                ffi::read_compact(&self.dataset).map_err(|error| self.context.damaged(error))?
            }
            Storage::Contiguous(offset) => self.read_at(*offset, self.size)?,
            Storage::Chunked { chunk, filters } => chunks::read(self, chunk, filters)?,
        };
        let is_whole = bytes.len() == self.size;
        if is_whole { Ok(bytes) } else { Err(self.context.damaged("it ends too early")) }
    }

    /// Reads up to `size` bytes of the file at `offset`.
    pub fn read_at(&self, offset: u64, size: usize) -> Result<Vec<u8>, Hdf5Error> {
        let mut bytes = reserve(&self.context, size)?;
        let read = File::open(self.context.file).and_then(|mut file| {
            file.seek(SeekFrom::Start(offset))?;
            file.take(size as u64).read_to_end(&mut bytes)
        });
        read.map_err(|error| self.context.damaged(error))?;
        Ok(bytes)
    }

    /// Reads all elements of a list of labels or names.
    pub fn values(&self) -> Result<Values, Hdf5Error> {
        let bytes = self.bytes()?;
        let elements = bytes.chunks_exact(self.element.size().max(1));
        match self.element {
            Element::Number(number) if number.is_float() => self.whole(&bytes, number),
            Element::Number(number) => {
                Ok(Values::Numbers(elements.map(|bytes| number.integer(bytes)).collect()))
            }
            _ => {
                let mut heap = Heap::new(self);
                let text = |(index, bytes)| match self.element {
                    Element::Variable => self.text(index, &heap.get(bytes)?),
                    _ => self.text(index, bytes),
                };
                elements.enumerate().map(text).collect::<Result<_, _>>().map(Values::Strings)
            }
        }
    }

    /// Decodes labels that are floats.
    fn whole(&self, bytes: &[u8], number: Number) -> Result<Values, Hdf5Error> {
        let mut numbers = Vec::with_capacity(bytes.len() / number.size);
        number.for_each(bytes, |number| numbers.push(number));
        let mut indexed = numbers.iter().enumerate();
        if let Some((index, number)) = indexed.find(|(_, number)| number.fract() != 0.0) {
            let found = format!("label {number} at index {index}");
            let classes = self.context.replace_command("np.unique(x, return_inverse=True)[1]");
            let remedy = format!("if each different number is a class, {classes}");
            return Err(self.context.content(found, "whole numbers", remedy));
        }
        Ok(Values::Numbers(numbers.into_iter().map(|number| number as i128).collect()))
    }

    /// Decodes a string, which ends at the first zero byte or before trailing blanks.
    fn text(&self, index: usize, bytes: &[u8]) -> Result<String, Hdf5Error> {
        let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        let text = std::str::from_utf8(bytes).ok().map(|text| text.trim_end_matches(' '));
        let text = text.filter(|text| text.len() <= MAX_TEXT).map(str::to_owned);
        text.ok_or_else(|| {
            let found = format!("an invalid string at index {index}");
            let expected = "UTF-8 text of at most 256 bytes";
            self.context.content(found, expected, "rewrite the names as UTF-8")
        })
    }
}

/// Returns an empty vector with capacity for `count` elements, or an error if memory is short.
pub fn reserve<T>(context: &ErrorContext, count: usize) -> Result<Vec<T>, Hdf5Error> {
    let mut elements = Vec::new();
    let reserved = elements.try_reserve_exact(count);
    reserved.map_err(|_| {
        let found = format!("{} bytes long", count.saturating_mul(size_of::<T>()));
        context.structure(found, "what fits in memory", "free memory, or split the file")
    })?;
    Ok(elements)
}
