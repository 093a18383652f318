//! A module behind a pointer: [`BoxedModel`] is a Burn module whose type is known at run time only.
//!
//! Burn's visitors and mappers are generic over the rank of a tensor, so they cannot be called
//! through a pointer. Here each parameter passes as `dyn Any` and is cast back by its rank.

use std::any::Any;
use std::fmt::Debug;

use burn::module::{
    Content, Devices, Flag, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
    ModuleVisitor, Param,
};
use burn::tensor::{Bool, Device, Int, Tensor};

use crate::custom_model::CustomModel;
use crate::dropout::DropoutRng;

/// A custom model of any type.
#[derive(Debug)]
pub struct BoxedModel(Box<dyn ErasedModel>);

impl BoxedModel {
    pub(crate) fn new(model: impl CustomModel) -> Self {
        Self(Box::new(model))
    }

    pub(crate) fn forward(&self, inputs: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2> {
        self.0.forward(inputs, rng)
    }

    pub(crate) fn is_penalized(&self, path: &str, rank: usize) -> bool {
        self.0.is_penalized(path, rank)
    }
}

/// The methods of a [`CustomModel`] that are callable through a pointer.
trait ErasedModel: Debug + Send {
    fn clone_box(&self) -> Box<dyn ErasedModel>;
    fn forward(&self, inputs: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2>;
    fn is_penalized(&self, path: &str, rank: usize) -> bool;
    fn visit(&self, visitor: &mut dyn ErasedVisitor);
    fn map(self: Box<Self>, mapper: &mut dyn ErasedMapper) -> Box<dyn ErasedModel>;
    fn collect_devices(&self, devices: Devices) -> Devices;
    fn fork(self: Box<Self>, device: &Device) -> Box<dyn ErasedModel>;
    fn to_device(self: Box<Self>, device: &Device) -> Box<dyn ErasedModel>;
    fn train(self: Box<Self>) -> Box<dyn ErasedModel>;
    fn valid(&self) -> Box<dyn ErasedModel>;
    fn materialize(self: Box<Self>) -> Box<dyn ErasedModel>;
}

impl<M: CustomModel> ErasedModel for M {
    fn clone_box(&self) -> Box<dyn ErasedModel> {
        Box::new(self.clone())
    }

    fn forward(&self, inputs: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2> {
        CustomModel::forward(self, inputs, rng)
    }

    fn is_penalized(&self, path: &str, rank: usize) -> bool {
        M::is_penalized(path, rank)
    }

    fn visit(&self, visitor: &mut dyn ErasedVisitor) {
        Module::visit(self, &mut TypedVisitor(visitor));
    }

    fn map(self: Box<Self>, mapper: &mut dyn ErasedMapper) -> Box<dyn ErasedModel> {
        Box::new(Module::map(*self, &mut TypedMapper(mapper)))
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        Module::collect_devices(self, devices)
    }

    fn fork(self: Box<Self>, device: &Device) -> Box<dyn ErasedModel> {
        Box::new(Module::fork(*self, device))
    }

    fn to_device(self: Box<Self>, device: &Device) -> Box<dyn ErasedModel> {
        Box::new(Module::to_device(*self, device))
    }

    fn train(self: Box<Self>) -> Box<dyn ErasedModel> {
        Box::new(Module::train(*self))
    }

    fn valid(&self) -> Box<dyn ErasedModel> {
        Box::new(Module::valid(self))
    }

    fn materialize(self: Box<Self>) -> Box<dyn ErasedModel> {
        Box::new(Module::materialize(*self))
    }
}

impl Clone for BoxedModel {
    fn clone(&self) -> Self {
        Self(self.0.clone_box())
    }
}

impl ModuleDisplay for BoxedModel {}

impl ModuleDisplayDefault for BoxedModel {
    fn content(&self, content: Content) -> Option<Content> {
        Some(content)
    }
}

impl Module for BoxedModel {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.0.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self(self.0.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        Self(self.0.to_device(device))
    }

    fn train(self) -> Self {
        Self(self.0.train())
    }

    fn valid(&self) -> Self {
        Self(self.0.valid())
    }

    fn materialize(self) -> Self {
        Self(self.0.materialize())
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.0.visit(&mut Untyped(visitor));
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        Self(self.0.map(&mut Untyped(mapper)))
    }
}

/// A visitor of parameters of unknown rank.
trait ErasedVisitor {
    fn enter_module(&mut self, name: &str, container: &str);
    fn exit_module(&mut self, name: &str, container: &str);
    fn visit(&mut self, param: &dyn Any);
}

/// A mapper of parameters of unknown rank, each in an `Option` to take it from and put it back.
trait ErasedMapper {
    fn enter_module(&mut self, name: &str, container: &str);
    fn exit_module(&mut self, name: &str, container: &str);
    fn map(&mut self, slot: &mut dyn Any);
}

/// Calls the typed visitor or mapper inside with parameters of unknown rank.
struct Untyped<'a, T>(&'a mut T);

/// Runs `$call` for each rank up to 8 that a tensor may have.
macro_rules! for_each_rank {
    ($call:ident, $($argument:expr),*) => {
        for_each_rank!(@ $call, ($($argument),*), 1 2 3 4 5 6 7 8)
    };
    (@ $call:ident, $arguments:tt, $($rank:literal)*) => {$(
        for_each_rank!(# $call::<$rank>, $arguments);
    )*};
    (# $call:ident::<$rank:literal>, ($($argument:expr),*)) => {
        $call::<_, $rank>($($argument),*);
    };
}

impl<V: ModuleVisitor> ErasedVisitor for Untyped<'_, V> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }

    fn visit(&mut self, param: &dyn Any) {
        for_each_rank!(visit_rank, self.0, param);
        if let Some(flag) = param.downcast_ref::<Param<Flag>>() {
            self.0.visit_flag(flag);
        }
    }
}

fn visit_rank<V: ModuleVisitor, const D: usize>(visitor: &mut V, param: &dyn Any) {
    if let Some(param) = param.downcast_ref::<Param<Tensor<D>>>() {
        visitor.visit_float(param);
    } else if let Some(param) = param.downcast_ref::<Param<Tensor<D, Int>>>() {
        visitor.visit_int(param);
    } else if let Some(param) = param.downcast_ref::<Param<Tensor<D, Bool>>>() {
        visitor.visit_bool(param);
    }
}

impl<M: ModuleMapper> ErasedMapper for Untyped<'_, M> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }

    fn map(&mut self, slot: &mut dyn Any) {
        for_each_rank!(map_rank, self.0, slot);
        replace(slot, |flag| self.0.map_flag(flag));
    }
}

fn map_rank<M: ModuleMapper, const D: usize>(mapper: &mut M, slot: &mut dyn Any) {
    replace::<Param<Tensor<D>>>(slot, |param| mapper.map_float(param));
    replace::<Param<Tensor<D, Int>>>(slot, |param| mapper.map_int(param));
    replace::<Param<Tensor<D, Bool>>>(slot, |param| mapper.map_bool(param));
}

/// Replaces the value in `slot` if it is a `T`.
fn replace<T: 'static>(slot: &mut dyn Any, map: impl FnOnce(T) -> T) {
    if let Some(slot) = slot.downcast_mut::<Option<T>>() {
        *slot = slot.take().map(map);
    }
}

/// The visitor that a module sees: it passes each parameter on without its type.
struct TypedVisitor<'a>(&'a mut dyn ErasedVisitor);

impl ModuleVisitor for TypedVisitor<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.visit(param);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.0.visit(param);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.0.visit(param);
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.0.visit(flag);
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }
}

/// The mapper that a module sees: it passes each parameter on without its type.
struct TypedMapper<'a>(&'a mut dyn ErasedMapper);

impl TypedMapper<'_> {
    #[expect(clippy::expect_used, reason = "the mapper puts back what it takes from the slot")]
    fn map<T: 'static>(&mut self, param: T) -> T {
        // Moved, not cloned: a second reference to a tensor would prevent updates in place.
        let mut slot = Some(param);
        self.0.map(&mut slot);
        slot.expect("a mapped parameter")
    }
}

impl ModuleMapper for TypedMapper<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.map(param)
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.map(param)
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        self.map(param)
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.map(flag)
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }
}
